"""A classifier that takes up a new version while it serves."""

import ctypes
import sys
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from emotion.contract import CLASSIFIER_NAME, MODEL_FILE
from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion, Verdicts
from service.metrics import SwapMetrics
from service.models.onnx import OnnxClassifier
from service.models.repository import (
    CHECKSUM_FILE,
    CONFIG_FILE,
    LABELS_FILE,
    RepositoryModel,
    read_classifier,
)
from service.models.served import (
    Candidate,
    ModelState,
    PassedOver,
    candidates,
    choose_classifier,
)

# Of each file that a model is read from: what changes when the file does, None where it is not
# there.
_Look = tuple[Candidate, tuple[tuple[int, int, int] | None, ...]]

log = structlog.get_logger()


class SwappingClassifier:
    """The classifier that is to be served, whenever it is asked.

    ``classify`` may be called from any thread; ``refresh`` from one at a time.
    """

    def __init__(self, repositories: Sequence[Path], max_batch: int, metrics: SwapMetrics) -> None:
        """Choose, load, check and warm up what is there now.

        Args:
            repositories: in the order in which they are looked into.
            max_batch: see ``OnnxClassifier``.
            metrics: counts the swaps.

        Raises:
            ContractMismatch: no version is the classifier this code was built for.
        """
        self._repositories = repositories
        self._max_batch = max_batch
        self._metrics = metrics
        self._seen = _look(self._newest())
        served = choose_classifier(repositories, max_batch)
        self._current = served.classifier
        self._passed_over: tuple[PassedOver, ...] = ()
        for one in reversed(served.passed_over):
            self._pass_over(one)
        self._leaving: weakref.ref[OnnxClassifier] | None = None

    @property
    def max_batch(self) -> int:
        """Most crops at once."""
        return self._current.max_batch

    @property
    def version(self) -> ModelVersion:
        """Which model would answer now."""
        return self._current.version

    @property
    def state(self) -> ModelState:
        """Which model would answer now, and which can't be used."""
        return ModelState(self.version, self._passed_over)

    def classify(self, crops: npt.NDArray[np.uint8]) -> Verdicts:
        """Judge crops, all by one model; see ``OnnxClassifier.classify``."""
        return self._current.classify(crops)

    def refresh(self) -> None:
        """Take up the newest version, if that is another one than at the last look.

        It is loaded and warmed up beside the one that serves. One that can't be used is logged
        and counted, and not tried again until a file changes: what serves is kept, older or not.
        """
        self._give_back_memory()
        newest = self._newest()
        look = _look(newest)
        if look == self._seen:
            return
        self._seen = look
        if newest is not None:
            self._take_up(newest)

    def _newest(self) -> Candidate | None:
        return next(iter(candidates(self._repositories, CLASSIFIER_NAME)), None)

    def _take_up(self, newest: Candidate) -> None:
        try:
            model = read_classifier(newest.repository, newest.number)
            if _unplaced(model) == _unplaced(self._current.source):
                self._passed_over = ()
                return
            new = OnnxClassifier(model, self._max_batch)
        except ContractMismatch as error:
            self._pass_over(PassedOver(newest.folder, error.message))
            # What the refused one held is given back at the next look: the error holds it still.
            self._leaving = weakref.ref(self._current)
            return
        old, self._current = self._current, new
        self._passed_over = ()
        self._leaving = weakref.ref(old)
        self._metrics.swapped()
        log.info("model_swapped", old=old.version.version, new=new.version.version)
        del old, model
        self._give_back_memory()

    def _pass_over(self, refused: PassedOver) -> None:
        """Note a version that can't be used; log and count it where that is news."""
        if refused not in self._passed_over:
            self._metrics.refused()
            # The reason says it all; where in the code it was found is of no use to an operator.
            log.warning(
                "model_refused",
                folder=str(refused.folder),
                reason=refused.reason,
                served=self.version.version,
            )
        others = (one for one in self._passed_over if one.folder != refused.folder)
        self._passed_over = (refused, *(one for one in others if one.folder.exists()))

    def _give_back_memory(self) -> None:
        """Have the allocator return what the old model held, once no batch uses it any more.

        Without it 80 MB stay with the process after some swaps of a model of 11 MB.
        """
        if self._leaving is None:
            return
        leaving = self._leaving()
        if leaving is None or leaving is self._current:
            _trim()
            self._leaving = None


def _unplaced(model: RepositoryModel) -> RepositoryModel:
    """Return what tells two models apart: the digest stands for the bytes, not the number."""
    return replace(model, content=b"", number=0)


def _look(newest: Candidate | None) -> _Look | None:
    """Look at all that a version is read from, without reading it."""
    if newest is None:
        return None
    model = newest.folder.parent
    files = (newest.folder / MODEL_FILE, model / CONFIG_FILE, model / LABELS_FILE)
    return newest, tuple(map(_state, (*files, newest.repository / CHECKSUM_FILE)))


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _trim() -> None:
    """Call glibc's malloc_trim; elsewhere there is no such thing."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)

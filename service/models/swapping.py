"""A classifier that takes up a new version while it serves."""

import ctypes
import sys
import weakref
from collections.abc import Callable
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
    check_labels,
    read_model,
    versions_of,
)

# Of each file that a model is read from: what changes when the file does, None where it is not
# there.
_Look = tuple[Path, tuple[tuple[int, int, int] | None, ...]]

log = structlog.get_logger()


class SwappingClassifier:
    """The newest classifier of a repository, whenever it is asked.

    ``classify`` may be called from any thread; ``refresh`` from one at a time.
    """

    def __init__(
        self, repository: Callable[[], Path], max_batch: int, metrics: SwapMetrics
    ) -> None:
        """Load, check and warm up what is there now.

        Args:
            repository: says where the classifier lies; asked anew at every look.
            max_batch: see ``OnnxClassifier``.
            metrics: counts the swaps.

        Raises:
            ContractMismatch: it is not the classifier this code was built for.
        """
        self._repository = repository
        self._max_batch = max_batch
        self._metrics = metrics
        self._seen = _look(repository())
        model = _read(repository())
        self._current = OnnxClassifier(model, max_batch)
        self._served = _without_content(model)
        self._leaving: weakref.ref[OnnxClassifier] | None = None

    @property
    def max_batch(self) -> int:
        """Most crops at once."""
        return self._current.max_batch

    @property
    def version(self) -> ModelVersion:
        """Which model would answer now."""
        return self._current.version

    def classify(self, crops: npt.NDArray[np.uint8]) -> Verdicts:
        """Judge crops, all by one model; see ``OnnxClassifier.classify``."""
        return self._current.classify(crops)

    def refresh(self) -> None:
        """Take up what is in the repository now, if that has changed.

        A new version is loaded and warmed up beside the one that serves. One that can't be
        used is logged and counted, and not tried again until a file changes.
        """
        self._give_back_memory()
        look = _look(self._repository())
        if look == self._seen:
            return
        self._seen = look
        try:
            model = _read(self._repository())
            if _without_content(model) == self._served:
                return
            new = OnnxClassifier(model, self._max_batch)
        except ContractMismatch as error:
            self._metrics.refused()
            # The reason says it all; where in the code it was found is of no use to an operator.
            log.warning("model_refused", reason=error.message, kept=self.version.version)
            # What the refused one held is given back at the next look: the error holds it still.
            self._leaving = weakref.ref(self._current)
            return
        old, self._current = self._current, new
        self._served = _without_content(model)
        self._leaving = weakref.ref(old)
        self._metrics.swapped()
        log.info("model_swapped", old=old.version.version, new=new.version.version)
        del old, model
        self._give_back_memory()

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


def _read(repository: Path) -> RepositoryModel:
    check_labels(repository, CLASSIFIER_NAME)
    return read_model(repository, CLASSIFIER_NAME)


def _without_content(model: RepositoryModel) -> RepositoryModel:
    """Return what tells two models apart: the digest stands for the bytes, not the number."""
    return replace(model, content=b"", number=0)


def _look(repository: Path) -> _Look:
    """Look at all that the classifier is read from, without reading it."""
    folder = repository / CLASSIFIER_NAME
    newest = str(max(versions_of(folder), default=0))
    files = (folder / newest / MODEL_FILE, folder / CONFIG_FILE, folder / LABELS_FILE)
    return folder / newest, tuple(map(_state, (*files, repository / CHECKSUM_FILE)))


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

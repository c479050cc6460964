"""What is asked of a stage, one row of a batch each, and the functions that answer a batch.

A row carries its own deadline: a batch mixes the rows of many requests, and what nobody
waits for any more is not computed; and where it comes from, for logs and traces. A bad row's error
stands in its place and fails no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emotion.deadline import Deadline
from emotion.detection import DetectionSettings, FaceNetwork
from emotion.errors import DeadlineExceeded, InputError
from emotion.faces import ModelVersion, Sighting, Verdicts
from emotion.image import ImageLimits
from emotion.sighting import sight
from service.origins import Origin, current_origin


@dataclass(frozen=True, slots=True, eq=False)
class DetectionTask:
    """One encoded photo to find faces in."""

    photo: bytes
    deadline: Deadline
    origin: Origin = field(default_factory=current_origin)


@dataclass(frozen=True, slots=True, eq=False)
class CropTask:
    """One face to judge: uint8 [1, 48, 48]."""

    crop: npt.NDArray[np.uint8]
    deadline: Deadline
    origin: Origin = field(default_factory=current_origin)


@dataclass(frozen=True, slots=True, eq=False)
class CropVerdict:
    """One face's probabilities, float32 [7], and who gave them."""

    probabilities: npt.NDArray[np.float32]
    model: ModelVersion


DetectionResult = Sighting | InputError | DeadlineExceeded
CropResult = CropVerdict | DeadlineExceeded


class PhotoBatchDetector:
    """Answers a batch of photos one by one: on a CPU a detector gains nothing by batching."""

    def __init__(
        self, network: FaceNetwork, settings: DetectionSettings, limits: ImageLimits
    ) -> None:
        """Join the model with what it is to look for and what it may be given."""
        self._network = network
        self._settings = settings
        self._limits = limits

    def __call__(self, tasks: Sequence[DetectionTask]) -> list[DetectionResult]:
        """Return one result a task, in order."""
        return [self._answer(task) for task in tasks]

    def _answer(self, task: DetectionTask) -> DetectionResult:
        try:
            task.deadline.check()
            return sight(task.photo, self._network, self._settings, self._limits)
        except (InputError, DeadlineExceeded) as error:
            return error


class CropClassifier(Protocol):
    """A classifier in this process."""

    @property
    def max_batch(self) -> int:
        """Most crops at once."""
        ...

    @property
    def version(self) -> ModelVersion:
        """Which model would answer now."""
        ...

    def classify(self, crops: npt.NDArray[np.uint8]) -> Verdicts:
        """Judge crops uint8 [n, 1, 48, 48], all by one model."""
        ...


class CropBatchClassifier:
    """Answers a batch of crops with one run of the model."""

    def __init__(self, classifier: CropClassifier) -> None:
        """Take the model."""
        self._classifier = classifier

    def __call__(self, tasks: Sequence[CropTask]) -> list[CropResult]:
        """Return one result a task, in order."""
        late = [_lateness(task) for task in tasks]
        crops = [task.crop for task, error in zip(tasks, late, strict=True) if error is None]
        if not crops:
            return [error for error in late if error is not None]
        verdicts = self._classifier.classify(np.stack(crops))
        rows = iter(verdicts.probabilities)
        return [
            CropVerdict(next(rows), verdicts.model) if error is None else error for error in late
        ]


def _lateness(task: CropTask) -> DeadlineExceeded | None:
    try:
        task.deadline.check()
    except DeadlineExceeded as error:
        return error
    return None

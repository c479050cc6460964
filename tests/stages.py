"""Stages that answer what they are told to, and remember what they were asked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emotion.deadline import Deadline
from emotion.errors import ModelUnavailable, RaptError
from emotion.faces import ModelVersion, Sighting, Verdicts

MODEL = ModelVersion("emotion_classifier", "fake-1")


class FakeDetector:
    """``emotion.stages.FaceDetector``: answers each photo with what is written for it."""

    def __init__(self, answers: dict[bytes, Sighting | RaptError]) -> None:
        self._answers = answers
        self.calls: list[tuple[list[bytes], Deadline]] = []

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        self.calls.append((list(photos), deadline))
        return [self._answers[photo] for photo in photos]


class FakeClassifier:
    """``emotion.stages.EmotionClassifier``: a crop's first pixel names its emotion, surely."""

    def __init__(self) -> None:
        self.calls: list[tuple[npt.NDArray[np.uint8], Deadline]] = []

    async def classify(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> Verdicts:
        self.calls.append((crops, deadline))
        return Verdicts(np.eye(7, dtype=np.float32)[crops[:, 0, 0, 0]], MODEL)


class DownDetector:
    """Does not answer."""

    async def detect(
        self,
        photos: Sequence[bytes],  # noqa: ARG002  # what the protocol gives
        deadline: Deadline,  # noqa: ARG002  # the same
    ) -> Sequence[Sighting | RaptError]:
        raise ModelUnavailable("The detector is down.")

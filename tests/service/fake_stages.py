"""Made-up photos with what their faces come to, and stages for when something goes wrong."""
# ruff: noqa: ARG002  # a fake is given what the protocol gives, used or not

import asyncio
from collections.abc import Sequence

import numpy as np

from emotion.deadline import Deadline
from emotion.errors import RaptError, UndecodableImage
from emotion.faces import Box, Detection, Sighting
from emotion.labels import EMOTIONS, Emotion
from emotion.photo import PhotoPipeline
from tests.stages import FakeClassifier, FakeDetector

LANDMARKS = ((21.0, 32.0), (41.0, 32.0), (31.0, 42.0), (23.0, 52.0), (39.0, 52.0))
PROBABILITIES = (0.05, 0.01, 0.04, 0.6, 0.1, 0.12, 0.08)
BAD_PHOTO = b"text"


def photo_of(faces: int) -> bytes:
    """A photo of up to three happy faces."""
    return b"faces:%d" % faces


def fake_pipeline() -> PhotoPipeline:
    """Answers ``photo_of`` and ``BAD_PHOTO``."""
    answers: dict[bytes, Sighting | RaptError] = {photo_of(n): sighting(n) for n in range(4)}
    answers[BAD_PHOTO] = UndecodableImage("These bytes say nothing about faces.")
    return PhotoPipeline(FakeDetector(answers), FakeClassifier())


def sighting(faces: int) -> Sighting:
    """Of a photo of so many happy faces."""
    found = Detection(Box(10.04, 20.06, 40.0, 50.0), 0.98765, LANDMARKS)
    crops = np.full((faces, 1, 48, 48), EMOTIONS.index(Emotion.HAPPY), dtype=np.uint8)
    return Sighting(640, 480, (found,) * faces, crops)


class FailingDetector:
    """Raises."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        raise self._error


class StuckDetector:
    """Never answers; says when it is asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.ended = asyncio.Event()

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        return []

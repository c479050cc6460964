"""The stages of the pipelines, as seams: two of photos, a batch in, a batch out; two of videos.

Who stands behind them (this process, BentoML services, a Triton server) is chosen in one
place of the service.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emotion.deadline import Deadline
from emotion.errors import RaptError
from emotion.faces import Sighting, Verdicts
from emotion.image import RgbImage


class FaceDetector(Protocol):
    """Bytes -> decode -> detect -> align."""

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        """Find the faces in encoded photos.

        Returns:
            One a photo, in order. A bad photo's error stands in its place, so that it
            doesn't fail the others.

        Raises:
            CapacityError: full, or out of time.
            ModelError: the detector does not answer.
        """
        ...


class EmotionClassifier(Protocol):
    """Aligned crops -> calibrated probabilities."""

    async def classify(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> Verdicts:
        """Judge crops uint8 [n, 1, 48, 48]; n may be 0.

        Raises:
            CapacityError: full, or out of time.
            ModelError: the classifier does not answer.
        """
        ...


class FrameDetector(Protocol):
    """Detect -> align, in this process. Several threads may call it at once."""

    def __call__(self, frame: RgbImage) -> Sighting:
        """Find the faces in uint8 [height, width, 3], RGB, upright."""
        ...


class FrameClassifier(Protocol):
    """Aligned crops -> calibrated probabilities, in this process."""

    def classify(self, crops: npt.NDArray[np.uint8]) -> Verdicts:
        """Judge crops uint8 [n, 1, 48, 48], all by one model; n may be 0."""
        ...

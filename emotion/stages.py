"""The two stages of the photo pipeline, as seams: a batch in, a batch out.

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

"""Results: frozen values that the stages hand on and the transports translate.

Coordinates are pixels of the upright photo (after EXIF orientation), x to the right, y down.
The origin is the photo's top left corner, so the first pixel reaches from 0 to 1 and its centre
is at 0.5: scaling a photo scales its coordinates. A box may reach past the edge of the photo.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion.labels import EMOTIONS, Emotion

Point = tuple[float, float]
# Left eye, right eye, nose tip, left and right mouth corner; left as seen in the photo.
Landmarks = tuple[Point, Point, Point, Point, Point]
LANDMARK_NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its top left corner and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Detection:
    """Where one face is. ``score`` is the detector's confidence, 0 to 1."""

    box: Box
    score: float
    landmarks: Landmarks


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """All faces seen in one photo, largest first, cut out for the classifier.

    Attributes:
        width: of the upright photo, in pixels.
        height: of the upright photo, in pixels.
        detections: one a face.
        crops: uint8 [len(detections), 1, 48, 48], grey, aligned.
    """

    width: int
    height: int
    detections: tuple[Detection, ...]
    crops: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Which classifier gave an answer."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """The classifier's answer to a batch of crops.

    Attributes:
        probabilities: float32 [n, 7] in label order; rows add up to 1.
        model: who answered; it travels with every batch.
    """

    probabilities: npt.NDArray[np.float32]
    model: ModelVersion


@dataclass(frozen=True, slots=True)
class Face:
    """One face with its apparent expression."""

    detection: Detection
    probabilities: tuple[float, ...]

    @property
    def ranking(self) -> list[tuple[Emotion, float]]:
        """All emotions with their probabilities, the most probable first."""
        pairs = zip(EMOTIONS, self.probabilities, strict=True)
        return sorted(pairs, key=lambda pair: pair[1], reverse=True)

    @property
    def emotion(self) -> Emotion:
        """The most probable emotion."""
        return self.ranking[0][0]

    @property
    def confidence(self) -> float:
        """The calibrated probability of ``emotion``, 0 to 1."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class PhotoAnswer:
    """What a photo shows: its size, its faces (largest first), and who said so."""

    width: int
    height: int
    faces: tuple[Face, ...]
    model: ModelVersion

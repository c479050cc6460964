"""What a set of photos shows, all together. How it looks as a file is ``emotion.reports``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emotion.faces import Face, ModelVersion
from emotion.labels import EMOTIONS
from emotion.photo_set.results import PhotoError, PhotoFaces, PhotoResult
from emotion.video.report import Confidence, Shares


@dataclass(frozen=True, slots=True)
class PhotoSetReport:
    """What the photos show.

    Attributes:
        photos: in order of name.
        model: who judged the faces.
        detector: who found them.
        shares: of all faces, by the emotion that is told; all 0 if there is none.
        confidence: of all faces; None if there is none.
    """

    photos: tuple[PhotoResult, ...]
    model: ModelVersion
    detector: str
    shares: Shares
    confidence: Confidence | None

    @property
    def seen(self) -> list[PhotoFaces]:
        """The photos that could be used."""
        return [one.outcome for one in self.photos if isinstance(one.outcome, PhotoFaces)]

    @property
    def failed(self) -> list[tuple[str, PhotoError]]:
        """Names of the photos that could not be used, and why."""
        return [
            (one.name, one.outcome) for one in self.photos if isinstance(one.outcome, PhotoError)
        ]

    @property
    def faces(self) -> int:
        """How many there are in all photos."""
        return sum(len(one.faces) for one in self.seen)

    @property
    def with_faces(self) -> int:
        """Photos with at least one."""
        return sum(bool(one.faces) for one in self.seen)


def sum_up(photos: Sequence[PhotoResult], model: ModelVersion, detector: str) -> PhotoSetReport:
    """Put what photos came to together.

    Args:
        photos: in order.
        model: who judged the faces.
        detector: names the face detector.
    """
    outcomes = (one.outcome for one in photos)
    faces = [face for one in outcomes if isinstance(one, PhotoFaces) for face in one.faces]
    return PhotoSetReport(tuple(photos), model, detector, _shares(faces), _confidence(faces))


def _shares(faces: Sequence[Face]) -> Shares:
    told = Counter(face.emotion for face in faces)
    return tuple(told[emotion] / len(faces) if faces else 0.0 for emotion in EMOTIONS)


def _confidence(faces: Sequence[Face]) -> Confidence | None:
    if not faces:
        return None
    values = np.array([face.confidence for face in faces])
    return Confidence(float(values.min()), float(values.mean()), float(np.median(values)))

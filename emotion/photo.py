"""The photo pipeline: encoded photos in, answers out. Every transport calls this object."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from emotion.deadline import Deadline
from emotion.errors import RaptError
from emotion.faces import Face, ModelVersion, PhotoAnswer, Sighting, Verdicts
from emotion.preprocessing import classifier_input
from emotion.stages import EmotionClassifier, FaceDetector


class PhotoPipeline:
    """Detect, then classify, whoever stands behind the two stages."""

    def __init__(self, detector: FaceDetector, classifier: EmotionClassifier) -> None:
        """Join the stages."""
        self._detector = detector
        self._classifier = classifier

    async def analyse(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> list[PhotoAnswer | RaptError]:
        """Say what each photo shows.

        Args:
            photos: encoded, each at most as large as the limits of the detector.
            deadline: no stage begins after it.

        Returns:
            One a photo, in order: its answer, or what is wrong with it.

        Raises:
            CapacityError: full, or out of time.
            ModelError: a model does not answer.
        """
        sightings = await self._detector.detect(photos, deadline)
        verdicts = await self._classifier.classify(_crops_of(sightings), deadline)
        return _answers(sightings, verdicts)


def _crops_of(sightings: Sequence[Sighting | RaptError]) -> npt.NDArray[np.uint8]:
    crops = [sighting.crops for sighting in sightings if isinstance(sighting, Sighting)]
    return np.concatenate(crops) if crops else classifier_input([])


def _answers(
    sightings: Sequence[Sighting | RaptError], verdicts: Verdicts
) -> list[PhotoAnswer | RaptError]:
    rows = iter(verdicts.probabilities.tolist())
    return [
        sighting if isinstance(sighting, RaptError) else _answer(sighting, rows, verdicts.model)
        for sighting in sightings
    ]


def _answer(sighting: Sighting, rows: Iterator[list[float]], model: ModelVersion) -> PhotoAnswer:
    """Give each detection its row of probabilities: they come in the same order."""
    faces = tuple(Face(found, tuple(next(rows))) for found in sighting.detections)
    return PhotoAnswer(sighting.width, sighting.height, faces, model)

"""The stages as the front asks them, counted and told in traces, whoever stands behind them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.deadline import Deadline
from emotion.errors import RaptError
from emotion.faces import Sighting, Verdicts
from emotion.photo import PhotoPipeline
from emotion.stages import EmotionClassifier, FaceDetector
from service.metrics import StageCallMetrics
from service.tracing.spans import span


def observed_pipeline(
    detector: FaceDetector, classifier: EmotionClassifier, metrics: StageCallMetrics
) -> PhotoPipeline:
    """Join two stages, and watch what is asked of them."""
    return PhotoPipeline(
        ObservedDetector(detector, metrics), ObservedClassifier(classifier, metrics)
    )


class ObservedDetector:
    """``emotion.stages.FaceDetector``: another one, watched."""

    def __init__(self, detector: FaceDetector, metrics: StageCallMetrics) -> None:
        """Watch a detector."""
        self._detector = detector
        self._metrics = metrics

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        """Find the faces in encoded photos; see the protocol."""
        rows = len(photos)
        with self._metrics.asked(DETECTOR_NAME, rows), span("detect", facts={"rapt.rows": rows}):
            return await self._detector.detect(photos, deadline)


class ObservedClassifier:
    """``emotion.stages.EmotionClassifier``: another one, watched."""

    def __init__(self, classifier: EmotionClassifier, metrics: StageCallMetrics) -> None:
        """Watch a classifier."""
        self._classifier = classifier
        self._metrics = metrics

    async def classify(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> Verdicts:
        """Judge crops; see the protocol."""
        rows = len(crops)
        if not rows:
            # Nothing is computed: only the model's name is asked for.
            return await self._classifier.classify(crops, deadline)
        with (
            self._metrics.asked(CLASSIFIER_NAME, rows),
            span("classify", facts={"rapt.rows": rows}),
        ):
            return await self._classifier.classify(crops, deadline)

"""Both models in this process, with a bounded micro-batch before each."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.deadline import Deadline
from emotion.errors import RaptError
from emotion.faces import Sighting, Verdicts
from service.metrics import StageMetrics
from service.micro_batch import MicroBatcher
from service.models.openvino import OpenVinoFaceNetwork
from service.models.served import choose_detector
from service.settings import Settings
from service.stages.tasks import (
    CropBatchClassifier,
    CropClassifier,
    CropResult,
    CropTask,
    DetectionResult,
    DetectionTask,
    PhotoBatchDetector,
)
from service.stages.told_batches import Asked, told
from service.stages.verdicts import ask_one_model, no_verdicts

Row = TypeVar("Row", bound=Asked)
Result = TypeVar("Result")


class InlineDetector:
    """``emotion.stages.FaceDetector`` in this process."""

    def __init__(self, settings: Settings, metrics: StageMetrics | None = None) -> None:
        """Load the model.

        Args:
            settings: limits and threads.
            metrics: count each photo, where they are given.

        Raises:
            ContractMismatch: the model is not what the code was built for.
        """
        network = OpenVinoFaceNetwork(
            choose_detector(settings.model_repositories).repository,
            settings.detector_precision,
            parallel=settings.threads,
        )
        detect = PhotoBatchDetector(network, settings.detection, settings.limits)
        # One photo a batch: several are worked on at once by several threads instead.
        self._batcher = MicroBatcher[DetectionTask, DetectionResult](
            _counted(DETECTOR_NAME, detect, metrics),
            max_batch=1,
            threads=settings.threads,
            max_waiting=settings.max_waiting_photos,
        )

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        """Find the faces in encoded photos; see the protocol."""
        return await self._batcher.run([DetectionTask(photo, deadline) for photo in photos])


class InlineClassifier:
    """``emotion.stages.EmotionClassifier`` in this process."""

    def __init__(
        self,
        classifier: CropClassifier,
        settings: Settings,
        metrics: StageMetrics | None = None,
    ) -> None:
        """Take the model, which may change its version while it serves.

        Args:
            classifier: the model.
            settings: limits.
            metrics: count each batch, where they are given.
        """
        self._classifier = classifier
        self._batcher = MicroBatcher[CropTask, CropResult](
            _counted(CLASSIFIER_NAME, CropBatchClassifier(classifier), metrics),
            max_batch=classifier.max_batch,
            threads=1,
            max_waiting=settings.max_waiting_crops,
        )

    async def classify(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> Verdicts:
        """Judge crops; see the protocol."""
        tasks = [CropTask(crop, deadline) for crop in crops]
        if not tasks:
            return no_verdicts(self._classifier.version)
        return await ask_one_model(lambda: self._batcher.run(tasks))


def _counted(
    stage: str, answer: Callable[[Sequence[Row]], list[Result]], metrics: StageMetrics | None
) -> Callable[[Sequence[Row]], list[Result]]:
    return metrics.counted(stage, told(stage, answer)) if metrics else answer

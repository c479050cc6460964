"""Topology ``runners``: ``bentoml serve service.runners:EmotionService``.

Three services, each a process of its own: the front hands an encoded photo to the detector,
which gives back boxes and aligned crops; only the crops travel on to the classifier.
"""

from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from service.batching import hold_nothing_back
from service.bentoml_options import batch_options, front_options, stage_options
from service.data_plane import Backend, DataPlane
from service.grpc.beside import put_grpc_beside
from service.http.front import create_front
from service.http.front_first import put_front_first
from service.http.time_limit import put_time_limit_in_place
from service.jobs.opener import DeskOpener
from service.lifeline import end_with_parent
from service.logs import set_up_logging
from service.metrics import (
    PhotoMetrics,
    StageCallMetrics,
    StageMetrics,
    forget_requests_of_the_dead,
)
from service.model_watches import swapping_classifier, watch_registry
from service.models.openvino import OpenVinoFaceNetwork
from service.models.served import ModelState, choose_detector
from service.orderly_service import OrderlyService
from service.settings import load_settings
from service.stages.envelope import Envelope, seal, unseal
from service.stages.observed import observed_pipeline
from service.stages.runners import RunnerClassifier, RunnerDetector
from service.stages.tasks import CropBatchClassifier, PhotoBatchDetector
from service.stages.told_batches import told
from service.tracing.set_up import end_tracing, set_up_tracing

# Any: they are of a type that pydantic has no schema for. Where the media type isn't named, BentoML
# builds a JSON schema for each answer to find it out.
Envelopes = Annotated[list[Any], ContentType("application/vnd.bentoml+pickle")]

_PHOTOS_A_BATCH = 4  # A detector gains nothing by batching on a CPU: small ones keep latency low.

set_up_logging()
put_time_limit_in_place()
settings = load_settings()
plane = DataPlane(settings)
opener = DeskOpener(settings)


@bentoml.service(**stage_options(settings, "FaceDetector", settings.detector_processes))
class FaceDetector:
    """Bytes -> decode -> detect -> align."""

    def __init__(self) -> None:
        """Load and warm up the detector."""
        end_with_parent()
        set_up_tracing("detector")
        hold_nothing_back()
        network = OpenVinoFaceNetwork(
            choose_detector(settings.model_repositories).repository, settings.detector_precision
        )
        detect = PhotoBatchDetector(network, settings.detection, settings.limits)
        self._answer = StageMetrics().counted(DETECTOR_NAME, told(DETECTOR_NAME, detect))

    @bentoml.api(**batch_options(settings, _PHOTOS_A_BATCH))
    def detect(self, tasks: list[Any]) -> Envelopes:
        """Answer DetectionTasks with DetectionResults, in envelopes."""
        return seal(self._answer(unseal(tasks)))

    @bentoml.on_shutdown
    def close(self) -> None:
        """Tell the spans that are left."""
        end_tracing()

    @bentoml.api
    async def ping(self) -> bool:
        """Answer while the model is loaded."""
        return True


@bentoml.service(**stage_options(settings, "EmotionClassifier"))
class EmotionClassifier:
    """Aligned crops -> calibrated probabilities."""

    def __init__(self) -> None:
        """Load and warm up the classifier."""
        end_with_parent()
        set_up_tracing("classifier")
        hold_nothing_back()
        self._classifier = swapping_classifier(settings)
        classify = CropBatchClassifier(self._classifier)
        self._answer = StageMetrics().counted(CLASSIFIER_NAME, told(CLASSIFIER_NAME, classify))

    @bentoml.api(**batch_options(settings, settings.max_batch))
    def classify(self, tasks: list[Any]) -> Envelopes:
        """Answer CropTasks with CropResults, in envelopes."""
        return seal(self._answer(unseal(tasks)))

    @bentoml.on_shutdown
    def close(self) -> None:
        """Tell the spans that are left."""
        end_tracing()

    @bentoml.api
    async def describe(self) -> Any:  # noqa: ANN401  # an envelope
        """Say which model is served."""
        return Envelope(self._classifier.state)


@bentoml.service(**front_options(settings))
class EmotionService(OrderlyService):
    """The front: photos in, faces out."""

    detector = bentoml.depends(FaceDetector)
    classifier = bentoml.depends(EmotionClassifier)

    def __init__(self) -> None:
        """Put the pipeline together from the two services."""
        end_with_parent()
        set_up_tracing("front")
        forget_requests_of_the_dead()
        detector = RunnerDetector(self.detector.to_async)
        classifier = RunnerClassifier(self.classifier.to_async)

        async def probe() -> ModelState:
            await detector.probe()
            return await classifier.describe()

        pipeline = observed_pipeline(detector, classifier, StageCallMetrics())
        plane.start(Backend(pipeline, probe, PhotoMetrics(), watch_registry(settings)))
        opener.try_at_start()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Let go of videos: SQLite's log goes with the last who has the file open."""
        opener.close()
        end_tracing()


put_front_first(EmotionService, create_front(plane, opener), plane.ending)
put_grpc_beside(EmotionService, plane)

"""Topology ``inline``: ``bentoml serve service.inline:EmotionService``.

Both models in the front's process: the least cost on a small machine, and no other process.
"""

import bentoml

from service.bentoml_options import front_options
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
from service.models.served import ModelState
from service.orderly_service import OrderlyService
from service.settings import load_settings
from service.stages.inline import InlineClassifier, InlineDetector
from service.stages.observed import observed_pipeline
from service.tracing.set_up import end_tracing, set_up_tracing

set_up_logging()
put_time_limit_in_place()
settings = load_settings()
plane = DataPlane(settings)
opener = DeskOpener(settings)


@bentoml.service(**front_options(settings))
class EmotionService(OrderlyService):
    """The front, with the models inside."""

    def __init__(self) -> None:
        """Load the models and put the pipeline together."""
        end_with_parent()
        set_up_tracing("front")
        forget_requests_of_the_dead()
        classifier = swapping_classifier(settings)
        stages = StageMetrics()
        pipeline = observed_pipeline(
            InlineDetector(settings, stages),
            InlineClassifier(classifier, settings, stages),
            StageCallMetrics(),
        )

        async def probe() -> ModelState:
            """Pass: models in this process are there as long as it is."""
            return classifier.state

        plane.start(Backend(pipeline, probe, PhotoMetrics(), watch_registry(settings)))
        opener.try_at_start()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Let go of videos: SQLite's log goes with the last who has the file open."""
        opener.close()
        end_tracing()


put_front_first(EmotionService, create_front(plane, opener), plane.ending)
put_grpc_beside(EmotionService, plane)

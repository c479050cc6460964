"""Topology ``triton``: ``bentoml serve service.triton:EmotionService``.

The front alone; both models are on a Triton server, which batches for all fronts that ask it.
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
from service.metrics import PhotoMetrics, StageCallMetrics, forget_requests_of_the_dead
from service.models.served import ModelState
from service.orderly_service import OrderlyService
from service.settings import load_settings
from service.stages.observed import observed_pipeline
from service.stages.triton import TritonClassifier, TritonDetector
from service.stages.triton_client import TritonClient
from service.tracing.set_up import end_tracing, set_up_tracing

set_up_logging()
put_time_limit_in_place()
settings = load_settings()
plane = DataPlane(settings)
opener = DeskOpener(settings)


@bentoml.service(**front_options(settings))
class EmotionService(OrderlyService):
    """The front: HTTP in, JSON out."""

    def __init__(self) -> None:
        """Put the pipeline together from two models of one Triton server."""
        end_with_parent()
        set_up_tracing("front")
        forget_requests_of_the_dead()
        self._client = TritonClient(settings.triton_address)
        detector = TritonDetector(self._client, settings)
        classifier = TritonClassifier(self._client, settings)

        async def probe() -> ModelState:
            await detector.probe()
            return ModelState(await classifier.probe())

        # No registry is watched: which model is served is decided where Triton's files are.
        pipeline = observed_pipeline(detector, classifier, StageCallMetrics())
        plane.start(Backend(pipeline, probe, PhotoMetrics()))
        opener.try_at_start()

    @bentoml.on_shutdown
    async def disconnect(self) -> None:
        """Close the connection."""
        await self._client.close()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Let go of videos: SQLite's log goes with the last who has the file open."""
        opener.close()
        end_tracing()


put_front_first(EmotionService, create_front(plane, opener), plane.ending)
put_grpc_beside(EmotionService, plane)

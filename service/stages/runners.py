"""BentoML services behind the stages: each a process of its own, batched by BentoML."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Protocol, TypeVar

import aiohttp
import numpy as np
import numpy.typing as npt
import structlog
from bentoml.exceptions import BentoMLException

from emotion.deadline import Deadline
from emotion.errors import ModelUnavailable, Overloaded, RaptError
from emotion.faces import Sighting, Verdicts
from service.models.served import ModelState
from service.stages.envelope import Envelope, seal, unseal
from service.stages.tasks import CropResult, CropTask, DetectionResult, DetectionTask
from service.stages.verdicts import ask_one_model, no_verdicts

Answer = TypeVar("Answer")

log = structlog.get_logger()

_FULL = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
# The connection was closed under a call that had no answer yet.
_DROPPED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)


class DetectorService(Protocol):
    """The client that BentoML gives for the ``FaceDetector`` service."""

    def detect(
        self, tasks: list[Envelope[DetectionTask]]
    ) -> Awaitable[list[Envelope[DetectionResult]]]:
        """Answer a batch."""
        ...

    def ping(self) -> Awaitable[bool]:
        """Answer while the process is there and its model is loaded."""
        ...


class ClassifierService(Protocol):
    """The client that BentoML gives for the ``EmotionClassifier`` service."""

    def classify(self, tasks: list[Envelope[CropTask]]) -> Awaitable[list[Envelope[CropResult]]]:
        """Answer a batch."""
        ...

    def describe(self) -> Awaitable[Envelope[ModelState]]:
        """Say which model it serves."""
        ...


class RunnerDetector:
    """``emotion.stages.FaceDetector`` in another process."""

    def __init__(self, service: DetectorService) -> None:
        """Take BentoML's asynchronous client."""
        self._service = service

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        """Find the faces in encoded photos; see the protocol."""
        tasks = seal([DetectionTask(photo, deadline) for photo in photos])
        return unseal(await _call(lambda: self._service.detect(tasks), "face detector"))

    async def probe(self) -> None:
        """Pass if the process answers."""
        await _call(self._service.ping, "face detector")


class RunnerClassifier:
    """``emotion.stages.EmotionClassifier`` in another process."""

    def __init__(self, service: ClassifierService) -> None:
        """Take BentoML's asynchronous client."""
        self._service = service

    async def classify(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> Verdicts:
        """Judge crops; see the protocol."""
        tasks = seal([CropTask(crop, deadline) for crop in crops])
        if not tasks:
            # There is nothing to batch, yet the answer names the model.
            return no_verdicts((await self.describe()).version)

        async def ask() -> list[CropResult]:
            return unseal(await _call(lambda: self._service.classify(tasks), "emotion classifier"))

        return await ask_one_model(ask)

    async def describe(self) -> ModelState:
        """Say which model answers, if the process does."""
        return (await _call(self._service.describe, "emotion classifier")).content


async def _call(ask: Callable[[], Awaitable[Answer]], who: str) -> Answer:
    """Call another process, and translate what can go wrong on the way.

    Raises:
        Overloaded: its queue is full.
        ModelUnavailable: it is not there, or failed.
    """
    try:
        try:
            return await ask()
        except _DROPPED as error:
            # The other end closes connections that were idle for 5 s, and may do so just as a
            # call goes out. To ask twice is safe, and the second time there is a new one.
            log.info("stage_asked_again", stage=who, error=repr(error))
            return await ask()
    except BentoMLException as error:
        log.warning("stage_failed", stage=who, status=error.error_code.value)
        if error.error_code in _FULL:
            raise Overloaded(f"The {who} is full. Try again shortly.") from error
        raise ModelUnavailable(f"The {who} failed. Try again shortly.") from error
    except (aiohttp.ClientError, OSError) as error:
        log.warning("stage_does_not_answer", stage=who, error=repr(error))
        raise ModelUnavailable(f"The {who} does not answer. Try again shortly.") from error

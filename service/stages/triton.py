"""A Triton server behind the stages: it runs the networks, and batches across all who ask it.

Photos are decoded and faces cut out here, in threads: only what a network sees and says travels.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from emotion.contract import (
    CLASSIFIER_INPUT,
    CLASSIFIER_NAME,
    CLASSIFIER_OUTPUT,
    DETECTOR_INPUT,
    DETECTOR_NAME,
    DETECTOR_OUTPUTS,
)
from emotion.deadline import Deadline
from emotion.detection import Tensors
from emotion.errors import DeadlineExceeded, InputError, RaptError
from emotion.faces import ModelVersion, Sighting, Verdicts
from emotion.sighting import View, sighting_from, view_of
from service.settings import Settings
from service.stages.tasks import CropVerdict
from service.stages.triton_client import TritonClient
from service.stages.triton_models import TritonModel
from service.stages.verdicts import ask_one_model, no_verdicts

Result = TypeVar("Result")


class TritonDetector:
    """``emotion.stages.FaceDetector``: its network runs on Triton, the rest here."""

    def __init__(self, client: TritonClient, settings: Settings) -> None:
        """Take the connection."""
        self._client = client
        self._settings = settings
        self._served = TritonModel(client, DETECTOR_NAME)
        # Of each photo in work, the decoded pixels are held while Triton works.
        self._places = asyncio.Semaphore(settings.triton_photos)
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="photo")

    async def detect(
        self, photos: Sequence[bytes], deadline: Deadline
    ) -> Sequence[Sighting | RaptError]:
        """Find the faces in encoded photos; see the protocol."""
        return await _together([self._answer(photo, deadline) for photo in photos])

    async def probe(self) -> None:
        """Pass if Triton would answer.

        Raises:
            ModelError: it does not, or serves another model.
        """
        await self._client.check_ready(DETECTOR_NAME, Deadline())
        await self._served.look_anew()

    async def _answer(self, photo: bytes, deadline: Deadline) -> Sighting | RaptError:
        """Find the faces in one photo; what is wrong with it alone stands in its place."""
        try:
            async with self._places:
                deadline.check()
                return await self._sight(photo, deadline)
        except (InputError, DeadlineExceeded) as error:
            return error

    async def _sight(self, photo: bytes, deadline: Deadline) -> Sighting:
        """Decode -> detect -> align."""
        run, settings = asyncio.get_running_loop().run_in_executor, self._settings
        view = await run(self._pool, view_of, photo, settings.detection, settings.limits)
        tensors = await self._look_at(view, deadline)
        return await run(self._pool, sighting_from, tensors, view, settings.detection)

    async def _look_at(self, view: View, deadline: Deadline) -> Tensors:
        await self._served.look()
        images = {DETECTOR_INPUT: view.seen[np.newaxis]}
        answer = await self._client.infer(DETECTOR_NAME, images, DETECTOR_OUTPUTS, deadline)
        locations, scores, landmarks = answer.tensors
        return locations, scores, landmarks


class TritonClassifier:
    """``emotion.stages.EmotionClassifier`` on Triton."""

    def __init__(self, client: TritonClient, settings: Settings) -> None:
        """Take the connection."""
        self._client = client
        self._settings = settings
        self._served = TritonModel(client, CLASSIFIER_NAME)

    async def classify(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> Verdicts:
        """Judge crops; see the protocol."""
        served = await self._served.look()
        if not len(crops):
            return no_verdicts(served.version(served.number))
        most = min(self._settings.max_batch, served.config.max_batch_size)
        parts = [crops[start : start + most] for start in range(0, len(crops), most)]

        async def ask() -> list[CropVerdict]:
            answers = await _together([self._judge(part, deadline) for part in parts])
            return [row for answer in answers for row in answer]

        return await ask_one_model(ask)

    async def probe(self) -> ModelVersion:
        """Say which model would answer, if Triton would.

        Raises:
            ModelError: it would not, or serves another model.
        """
        await self._client.check_ready(CLASSIFIER_NAME, Deadline())
        served = await self._served.look_anew()
        return served.version(served.number)

    async def _judge(self, crops: npt.NDArray[np.uint8], deadline: Deadline) -> list[CropVerdict]:
        answer = await self._client.infer(
            CLASSIFIER_NAME, {CLASSIFIER_INPUT: crops}, [CLASSIFIER_OUTPUT], deadline
        )
        model = await self._model(answer.number)
        return [CropVerdict(row, model) for row in answer.tensors[0]]

    async def _model(self, number: int) -> ModelVersion:
        """Return the version with this number, which may be newer than what was looked at."""
        served = await self._served.look()
        if not served.names(number):
            served = await self._served.look_anew()
        return served.version(number)


async def _together(calls: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Wait for all; when one fails, or the caller goes, none goes on."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()

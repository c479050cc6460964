from collections.abc import Callable
from http import HTTPStatus

import aiohttp
import numpy as np
import pytest
from bentoml.exceptions import BentoMLException

from emotion.deadline import Deadline
from emotion.errors import (
    DeadlineExceeded,
    ModelUnavailable,
    Overloaded,
    RaptError,
    UndecodableImage,
)
from emotion.faces import ModelVersion, Sighting
from service.models.served import ModelState
from service.stages.envelope import Envelope, seal, unseal
from service.stages.runners import RunnerClassifier, RunnerDetector
from service.stages.tasks import CropResult, CropTask, CropVerdict, DetectionResult, DetectionTask

MODEL = ModelVersion("emotion_classifier", "made-up")
CROPS = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * np.ones((1, 1, 48, 48), np.uint8)


class FakeDetectorService:
    """Answers as BentoML's client does, each photo by a function."""

    def __init__(self, answer: Callable[[DetectionTask], DetectionResult]) -> None:
        self._answer = answer
        self.tasks: list[DetectionTask] = []

    async def detect(self, tasks: list[Envelope[DetectionTask]]) -> list[Envelope[DetectionResult]]:
        self.tasks = unseal(tasks)
        return seal([self._answer(task) for task in self.tasks])

    async def ping(self) -> bool:
        self._answer(DetectionTask(b"", Deadline()))
        return True


class FakeClassifierService:
    """Gives each crop its own level as the first probability."""

    def __init__(self) -> None:
        self.late = False
        self.asked: list[str] = []

    async def classify(self, tasks: list[Envelope[CropTask]]) -> list[Envelope[CropResult]]:
        self.asked.append("classify")
        return seal([self._answer(task) for task in unseal(tasks)])

    async def describe(self) -> Envelope[ModelState]:
        self.asked.append("describe")
        return Envelope(ModelState(MODEL))

    def _answer(self, task: CropTask) -> CropResult:
        if self.late:
            return DeadlineExceeded("late")
        probabilities = np.zeros(7, dtype=np.float32)
        probabilities[0] = task.crop[0, 0, 0]
        return CropVerdict(probabilities, MODEL)


def raising(error: Exception) -> Callable[[DetectionTask], DetectionResult]:
    def answer(_: DetectionTask) -> DetectionResult:
        raise error

    return answer


def sighting_of(task: DetectionTask) -> DetectionResult:
    if not task.photo:
        return UndecodableImage("empty")
    return Sighting(len(task.photo), 1, (), np.empty((0, 1, 48, 48), dtype=np.uint8))


async def test_photos_go_to_the_service_with_their_deadline_and_come_back_in_order() -> None:
    service = FakeDetectorService(sighting_of)
    deadline = Deadline(at=123.0)
    one, bad, other = await RunnerDetector(service).detect([b"1", b"", b"333"], deadline)
    assert isinstance(one, Sighting)
    assert isinstance(bad, UndecodableImage)
    assert isinstance(other, Sighting)
    assert (one.width, other.width) == (1, 3)
    assert [task.deadline for task in service.tasks] == [deadline] * 3


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BentoMLException("x", error_code=HTTPStatus.SERVICE_UNAVAILABLE), Overloaded),
        (BentoMLException("x", error_code=HTTPStatus.TOO_MANY_REQUESTS), Overloaded),
        (BentoMLException("x", error_code=HTTPStatus.INTERNAL_SERVER_ERROR), ModelUnavailable),
        (aiohttp.ServerDisconnectedError(), ModelUnavailable),
        (ConnectionRefusedError(), ModelUnavailable),
        (TimeoutError(), ModelUnavailable),
    ],
)
async def test_what_goes_wrong_on_the_way_is_told_as_what_it_means(
    error: Exception, expected: type[RaptError]
) -> None:
    detector = RunnerDetector(FakeDetectorService(raising(error)))
    with pytest.raises(expected, match="The face detector"):
        await detector.detect([b"1"], Deadline())
    with pytest.raises(expected, match="The face detector"):
        await detector.probe()


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientOSError(104, "Connection reset by peer"),
        aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
    ],
)
async def test_a_call_whose_connection_was_closed_under_it_is_made_once_more(
    error: Exception,
) -> None:
    failures = [error]

    def fail_once(task: DetectionTask) -> DetectionResult:
        if failures:
            raise failures.pop()
        return sighting_of(task)

    (result,) = await RunnerDetector(FakeDetectorService(fail_once)).detect([b"1"], Deadline())
    assert isinstance(result, Sighting)


async def test_a_bug_is_let_through() -> None:
    detector = RunnerDetector(FakeDetectorService(raising(ZeroDivisionError())))
    with pytest.raises(ZeroDivisionError):
        await detector.detect([b"1"], Deadline())


async def test_crops_are_judged_in_order() -> None:
    verdicts = await RunnerClassifier(FakeClassifierService()).classify(CROPS, Deadline())
    assert verdicts.probabilities[:, 0].tolist() == [0.0, 1.0, 2.0]
    assert verdicts.model == MODEL


async def test_without_crops_the_model_is_asked_for_its_name_only() -> None:
    service = FakeClassifierService()
    verdicts = await RunnerClassifier(service).classify(CROPS[:0], Deadline())
    assert (verdicts.model, len(verdicts.probabilities)) == (MODEL, 0)
    assert service.asked == ["describe"]


async def test_a_crop_that_was_too_late_makes_the_call_late() -> None:
    service = FakeClassifierService()
    service.late = True
    with pytest.raises(DeadlineExceeded):
        await RunnerClassifier(service).classify(CROPS, Deadline())


async def test_a_probe_passes_if_the_process_answers() -> None:
    await RunnerDetector(FakeDetectorService(sighting_of)).probe()
    service = FakeClassifierService()
    assert await RunnerClassifier(service).describe() == ModelState(MODEL)
    assert service.asked == ["describe"]

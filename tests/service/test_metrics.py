import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import DeadlineExceeded, Overloaded, UndecodableImage
from emotion.faces import Box, Detection, Face, PhotoAnswer
from service.metrics import (
    GrpcMetrics,
    HttpMetrics,
    PhotoMetrics,
    StageCallMetrics,
    StageMetrics,
    SwapMetrics,
    forget_requests_of_the_dead,
)
from service.present import Present, render_metrics
from tests.service.fake_stages import LANDMARKS, PROBABILITIES
from tests.stages import MODEL

# Counts a request that it has in work, and one that ended.
_FRONT = """
from service.metrics import HttpMetrics, PhotoMetrics, StageCallMetrics
HttpMetrics().ended("GET", "/", 200, 0.5)
with PhotoMetrics().request(), StageCallMetrics().asked("face_detector", 3):
    print("up", flush=True)
    input()
"""

FACE = Face(Detection(Box(0, 0, 1, 1), 1.0, LANDMARKS), PROBABILITIES)


def test_photos_are_counted_by_outcome_and_faces_one_by_one(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    answer = PhotoAnswer(640, 480, (FACE, FACE), MODEL)
    metrics.results([answer, answer, UndecodableImage("no")])
    assert registry.get_sample_value("rapt_photos_total", {"outcome": "answered"}) == 2
    assert registry.get_sample_value("rapt_photos_total", {"outcome": "UndecodableImage"}) == 1
    assert registry.get_sample_value("rapt_faces_total") == 4


def test_faces_are_counted_a_photo_and_how_sure_their_expressions_are(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    metrics.results([PhotoAnswer(640, 480, faces, MODEL) for faces in ((), (FACE, FACE))])
    buckets = {
        most: registry.get_sample_value("rapt_photo_faces_bucket", {"le": most})
        for most in ("0.0", "1.0", "2.0")
    }
    assert buckets == {"0.0": 1, "1.0": 1, "2.0": 2}
    assert registry.get_sample_value("rapt_face_confidence_count") == 2
    assert registry.get_sample_value("rapt_face_confidence_sum") == 1.2


def test_a_request_is_in_flight_until_it_ends(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    with metrics.request():
        assert registry.get_sample_value("rapt_requests_in_flight") == 1
    assert registry.get_sample_value("rapt_requests_in_flight") == 0
    assert registry.get_sample_value("rapt_request_seconds_count") == 1


@pytest.mark.parametrize(
    ("is_hurried", "error", "reason"),
    [
        (False, DeadlineExceeded("late"), "DeadlineExceeded"),
        (True, DeadlineExceeded("late"), "ClientGone"),
        (True, Overloaded("full"), "Overloaded"),
        (False, asyncio.CancelledError(), "ClientGone"),
    ],
)
def test_who_waits_for_less_than_a_request_may_take_is_gone_when_it_is_late(
    metrics: PhotoMetrics,
    registry: CollectorRegistry,
    error: BaseException,
    reason: str,
    *,
    is_hurried: bool,
) -> None:
    with pytest.raises(type(error)), metrics.request(is_hurried=is_hurried):
        raise error
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": reason}) == 1


def test_a_stage_is_counted_by_rows_and_batches(registry: CollectorRegistry) -> None:
    def negatives(batch: Sequence[int]) -> list[int]:
        return [-row for row in batch]

    counted = StageMetrics(registry).counted("negatives", negatives)
    assert [counted([1, 2, 3]), counted([4])] == [[-1, -2, -3], [-4]]
    labels = {"stage": "negatives"}
    assert registry.get_sample_value("rapt_batch_rows_sum", labels) == 4
    assert registry.get_sample_value("rapt_batch_rows_count", labels) == 2
    assert registry.get_sample_value("rapt_batch_seconds_count", labels) == 2


def test_what_a_stage_was_handed_is_counted_until_it_answers(registry: CollectorRegistry) -> None:
    calls = StageCallMetrics(registry)
    detector, classifier = {"stage": DETECTOR_NAME}, {"stage": CLASSIFIER_NAME}
    with calls.asked(DETECTOR_NAME, 2), calls.asked(CLASSIFIER_NAME, 5):
        assert registry.get_sample_value("rapt_stage_rows", detector) == 2
        assert registry.get_sample_value("rapt_stage_rows", classifier) == 5
        assert registry.get_sample_value("rapt_stage_seconds_count", detector) == 0
    assert registry.get_sample_value("rapt_stage_rows", detector) == 0
    assert registry.get_sample_value("rapt_stage_seconds_count", detector) == 1


def test_what_a_stage_fails_at_is_not_in_its_hands_any_more(registry: CollectorRegistry) -> None:
    calls = StageCallMetrics(registry)
    with pytest.raises(Overloaded), calls.asked(DETECTOR_NAME, 2):
        raise Overloaded("full")
    assert registry.get_sample_value("rapt_stage_rows", {"stage": DETECTOR_NAME}) == 0


def test_http_requests_are_counted_by_route_and_status(registry: CollectorRegistry) -> None:
    HttpMetrics(registry).ended("POST", "/v1/photos", 200, 0.5)
    labels = {"method": "POST", "route": "/v1/photos", "status": "200"}
    assert registry.get_sample_value("rapt_http_requests_total", labels) == 1
    route = {"route": "/v1/photos"}
    assert registry.get_sample_value("rapt_http_request_seconds_sum", route) == 0.5


def test_calls_are_counted_by_method_and_status(registry: CollectorRegistry) -> None:
    calls = GrpcMetrics(registry)
    calls.ended("ModelInfer", "OK", 0.5)
    calls.ended("Watch", "OK")
    labels = {"method": "ModelInfer", "code": "OK"}
    assert registry.get_sample_value("rapt_grpc_calls_total", labels) == 1
    seconds = "rapt_grpc_call_seconds_sum"
    assert registry.get_sample_value(seconds, {"method": "ModelInfer"}) == 0.5
    assert registry.get_sample_value(seconds, {"method": "Watch"}) is None


def test_a_failed_request_is_counted_by_its_reason(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    with pytest.raises(Overloaded), metrics.request():
        raise Overloaded("full")
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": "Overloaded"}) == 1
    assert registry.get_sample_value("rapt_requests_in_flight") == 0


async def test_a_request_whose_client_goes_away_is_counted_as_such(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    async def request() -> None:
        with metrics.request():
            await asyncio.Event().wait()

    task = asyncio.create_task(request())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": "ClientGone"}) == 1
    assert registry.get_sample_value("rapt_requests_in_flight") == 0


def test_a_bug_is_not_counted_as_a_refusal(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    with pytest.raises(ZeroDivisionError), metrics.request():
        raise ZeroDivisionError
    assert registry.get_sample_value("rapt_requests_in_flight") == 0
    assert "rapt_requests_failed_total" not in {
        sample.name for metric in registry.collect() for sample in metric.samples
    }


def test_swaps_are_counted_by_outcome_from_0_on(registry: CollectorRegistry) -> None:
    swaps = SwapMetrics(registry)
    swaps.swapped()
    counts = {
        outcome: registry.get_sample_value("rapt_model_swaps_total", {"outcome": outcome})
        for outcome in ("swapped", "refused")
    }
    assert counts == {"swapped": 1, "refused": 0}


@contextmanager
def counting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A front that has its figures in a folder, and is killed when the block ends."""
    with subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", _FRONT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield process
        finally:
            process.kill()


def test_what_a_killed_front_had_in_work_is_forgotten_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    rows = 'rapt_stage_rows{stage="face_detector"}'
    ended = 'rapt_http_requests_total{method="GET",route="/",status="200"}'
    with counting(tmp_path):
        with counting(tmp_path):
            pass
        before = scraped()
        assert (before["rapt_requests_in_flight"], before[rows], before[ended]) == (2, 6, 2)
        forget_requests_of_the_dead()
        after = scraped()
        assert (after["rapt_requests_in_flight"], after[rows], after[ended]) == (1, 3, 2)


def test_a_process_that_keeps_its_figures_to_itself_forgets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    forget_requests_of_the_dead()


def scraped() -> dict[str, float]:
    """What a scrape says, by metric and labels."""
    lines = render_metrics(Present(None, None, None)).decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}

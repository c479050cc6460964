import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from emotion.errors import Overloaded, UndecodableImage
from emotion.faces import Box, Detection, Face, ModelVersion, PhotoAnswer
from service.metrics import (
    GrpcMetrics,
    JobsPresent,
    PhotoMetrics,
    Present,
    QueueWait,
    StageMetrics,
    SwapMetrics,
    render_metrics,
)
from tests.service.fake_stages import LANDMARKS, PROBABILITIES
from tests.stages import MODEL

FACE = Face(Detection(Box(0, 0, 1, 1), 1.0, LANDMARKS), PROBABILITIES)

NOTHING = Present(None, None, None)


def test_photos_are_counted_by_outcome_and_faces_one_by_one(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    answer = PhotoAnswer(640, 480, (FACE, FACE), MODEL)
    metrics.results([answer, answer, UndecodableImage("no")])
    assert registry.get_sample_value("rapt_photos_total", {"outcome": "answered"}) == 2
    assert registry.get_sample_value("rapt_photos_total", {"outcome": "UndecodableImage"}) == 1
    assert registry.get_sample_value("rapt_faces_total") == 4


def test_a_request_is_in_flight_until_it_ends(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    with metrics.request():
        assert registry.get_sample_value("rapt_requests_in_flight") == 1
    assert registry.get_sample_value("rapt_requests_in_flight") == 0
    assert registry.get_sample_value("rapt_request_seconds_count") == 1


def test_a_stage_is_counted_by_rows_and_batches(registry: CollectorRegistry) -> None:
    def negatives(batch: Sequence[int]) -> list[int]:
        return [-row for row in batch]

    counted = StageMetrics(registry).counted("negatives", negatives)
    assert [counted([1, 2, 3]), counted([4])] == [[-1, -2, -3], [-4]]
    labels = {"stage": "negatives"}
    assert registry.get_sample_value("rapt_batch_rows_sum", labels) == 4
    assert registry.get_sample_value("rapt_batch_rows_count", labels) == 2
    assert registry.get_sample_value("rapt_batch_seconds_count", labels) == 2


def test_calls_are_counted_by_method_and_status(registry: CollectorRegistry) -> None:
    GrpcMetrics(registry).ended("ModelInfer", "OK")
    labels = {"method": "ModelInfer", "code": "OK"}
    assert registry.get_sample_value("rapt_grpc_calls_total", labels) == 1


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


def test_one_process_by_itself_renders_its_own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    assert b"# TYPE process_cpu_seconds_total counter" in render_metrics(NOTHING)


def test_what_is_true_now_is_rendered_and_nothing_that_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    render_metrics(
        Present(
            ModelVersion("emotion_classifier", "old"), registry_up=False, champion_refused=False
        )
    )
    text = render_metrics(
        Present(MODEL, registry_up=True, champion_refused=False, pull_failed=True)
    ).decode()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'rapt_model_info{model="emotion_classifier",version="fake-1"} 1.0',
        "rapt_model_registry_up 1.0",
        "rapt_model_registry_champion_refused 0.0",
        "rapt_model_registry_pull_failed 1.0",
    ]


def test_how_it_stands_with_jobs_is_rendered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    waits = {"high": QueueWait(0.5, 1.0), "normal": QueueWait(40.0, 90.0)}
    text = render_metrics(JobsPresent(2, {"queued": 3}, 60.0, waits)).decode()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'rapt_jobs{state="queued"} 3.0',
        "rapt_workers 2.0",
        "rapt_jobs_oldest_queued_seconds 60.0",
        'rapt_jobs_queue_wait_mean_seconds{priority="high"} 0.5',
        'rapt_jobs_queue_wait_mean_seconds{priority="normal"} 40.0',
        'rapt_jobs_queue_wait_longest_seconds{priority="high"} 1.0',
        'rapt_jobs_queue_wait_longest_seconds{priority="normal"} 90.0',
    ]


def test_what_is_not_known_is_not_rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert render_metrics(NOTHING) == b""

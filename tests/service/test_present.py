from pathlib import Path

import pytest

from emotion.faces import ModelVersion
from service.present import JobsPresent, Present, QueueWait, VideoSeconds, render_metrics
from tests.stages import MODEL

NOTHING = Present(None, None, None)


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
    videos = {"queued": VideoSeconds(30.0, 200.0, 60.0)}
    text = render_metrics(
        JobsPresent(2, {"queued": 3}, 60.0, waits, oldest_running=5.0, video_seconds=videos)
    ).decode()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'rapt_jobs{state="queued"} 3.0',
        "rapt_workers 2.0",
        "rapt_jobs_oldest_queued_seconds 60.0",
        "rapt_jobs_oldest_running_seconds 5.0",
        'rapt_jobs_video_seconds{basis="planned",state="queued"} 30.0',
        'rapt_jobs_video_seconds{basis="size",state="queued"} 200.0',
        'rapt_jobs_video_seconds{basis="guess",state="queued"} 60.0',
        'rapt_jobs_queue_wait_mean_seconds{priority="high"} 0.5',
        'rapt_jobs_queue_wait_mean_seconds{priority="normal"} 40.0',
        'rapt_jobs_queue_wait_longest_seconds{priority="high"} 1.0',
        'rapt_jobs_queue_wait_longest_seconds{priority="normal"} 90.0',
    ]


def test_failures_of_the_storage_are_rendered_as_a_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    failures = {"StorageFull": 0, "StorageUnavailable": 2}
    text = render_metrics(Present(None, None, None, storage_errors=failures)).decode()
    assert [line for line in text.splitlines() if not line.startswith("# HELP")] == [
        "# TYPE rapt_storage_errors_total counter",
        'rapt_storage_errors_total{reason="StorageFull"} 0.0',
        'rapt_storage_errors_total{reason="StorageUnavailable"} 2.0',
    ]


def test_what_is_not_known_is_not_rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert render_metrics(NOTHING) == b""

"""A job's stages one after the other, without DBOS: real rows and objects, made-up jobs."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from emotion.errors import Stopped
from emotion.faces import ModelVersion
from service.jobs.claims import Claims
from service.jobs.inputs import Inputs
from service.jobs.job import LOCAL, Job, Kind, State
from service.jobs.opened import OpenedFolder
from service.jobs.patience import HandedBack, Patience
from service.jobs.work import Work
from service.origins import Origin, coming_from
from service.settings import Settings
from service.sources import Sources
from service.storage_errors import StorageUnavailable
from tests.service.jobs.conftest import MakeVideo
from tests.service.jobs.fake_analyses import MODEL, FakeAnalyses, FakeAnalysis, fake_video
from tests.service.kept import objects_of
from tests.service.told_spans import ToldSpans, id_of, parent_of, trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


def run_at_once(name: str, work: Callable[[], None]) -> None:
    work()


class InterruptedAnalyses(FakeAnalyses):
    """Something happens while the second segment is looked at."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def open(self, path: Path, job: Job, should_stop: Callable[[], bool]) -> FakeAnalysis:
        found = super().open(path, job, should_stop)
        happens = self._happens

        class Interrupted(FakeAnalysis):
            def analyse(self, number: int, should_stop: Callable[[], bool]) -> bytes:
                if number == 1:
                    happens()
                return FakeAnalysis.analyse(self, number, should_stop)

        return Interrupted(found.job, found.model, found.said)


@pytest.fixture
def ending() -> threading.Event:
    return threading.Event()


@pytest.fixture
def make_job(
    folder: OpenedFolder, claims: Claims, ending: threading.Event, settings: Settings
) -> Callable[[FakeAnalyses], Work]:
    patience = Patience(3, ending, first_wait=0.01)
    inputs = Inputs(claims, folder.store, Sources(), patience, settings)

    def make(analyses: FakeAnalyses) -> Work:
        return Work(claims, inputs, folder.store, analyses, patience)

    return make


@pytest.fixture
def job(folder: OpenedFolder, queued: MakeVideo) -> Job:
    """A job of three segments that has arrived."""
    one = queued("a")
    folder.store.write(one.source, fake_video(segments=3))
    return one


def test_segments_are_looked_at_in_order_and_reported(
    folder: OpenedFolder, job: Job, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    steps: list[str] = []

    def step(name: str, work: Callable[[], None]) -> None:
        steps.append(name)
        work()

    make_job(FakeAnalyses()).run("a", step)
    assert steps == ["segment-0", "segment-1", "segment-2", "report"]
    done = folder.ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (done.state, done.report_fence, done.model) == (State.DONE, 1, MODEL)
    assert folder.store.read(job.report(1, "csv")).startswith(b"csv of a\nsegment 0 by fake-1\n")


def test_a_job_that_is_taken_up_keeps_its_model(
    folder: OpenedFolder, job: Job, claims: Claims, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    claims.pin(claims.claim("a"), MODEL)
    other = ModelVersion("emotion_classifier", "fake-2")
    make_job(FakeAnalyses(other)).run("a", run_at_once)
    failed = folder.ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (failed.state, failed.error) == (State.FAILED, "The classifier is not here any more.")


def test_a_job_that_was_begun_often_and_got_nowhere_fails(
    folder: OpenedFolder, job: Job, claims: Claims, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    for _ in range(8):
        claims.claim("a")
    make_job(FakeAnalyses()).run("a", run_at_once)
    failed = folder.ledger.get(LOCAL, Kind.VIDEO, "a")
    assert failed.error is not None
    assert failed.error.startswith("The work on it was begun 8 times and got no further")


def test_who_loses_the_job_with_its_report_written_takes_that_away(
    folder: OpenedFolder,
    job: Job,
    settings: Settings,
    make_job: Callable[[FakeAnalyses], Work],
) -> None:
    class Late(FakeAnalyses):
        def open(self, path: Path, job: Job, should_stop: Callable[[], bool]) -> FakeAnalysis:
            found = super().open(path, job, should_stop)
            # Another takes it up just before the report is put together.
            object.__setattr__(found, "said", {**found.said, "segments": 0})
            return found

    def step(name: str, work: Callable[[], None]) -> None:
        folder.ledger.cancel(LOCAL, Kind.VIDEO, "a")
        work()

    make_job(Late()).run("a", step)
    assert objects_of(settings) == ["source"]
    assert folder.ledger.get(LOCAL, Kind.VIDEO, "a").state is State.CANCELLED


def test_told_to_end_it_hands_the_job_back(
    folder: OpenedFolder,
    job: Job,
    ending: threading.Event,
    make_job: Callable[[FakeAnalyses], Work],
) -> None:
    folder.store.write(job.source, fake_video(segments=3, seconds=0.05))
    make_job(InterruptedAnalyses(ending.set)).run("a", run_at_once)
    left = folder.ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (left.state, left.segments_done, left.attempts) == (State.QUEUED, 1, 0)


def test_a_worker_that_is_ending_begins_nothing(
    folder: OpenedFolder,
    job: Job,
    ending: threading.Event,
    make_job: Callable[[FakeAnalyses], Work],
) -> None:
    ending.set()
    with pytest.raises(HandedBack):
        make_job(FakeAnalyses()).run("a", run_at_once)
    assert folder.ledger.get(LOCAL, Kind.VIDEO, "a") == job


def test_one_who_stops_for_no_reason_of_ours_lets_go(
    folder: OpenedFolder, job: Job, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    def stop() -> None:
        raise Stopped("It was told to.")

    make_job(InterruptedAnalyses(stop)).run("a", run_at_once)
    assert folder.ledger.get(LOCAL, Kind.VIDEO, "a").state is State.RUNNING


def test_a_job_that_is_not_waiting_is_left_alone(
    folder: OpenedFolder, job: Job, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    folder.ledger.cancel(LOCAL, Kind.VIDEO, "a")
    make_job(FakeAnalyses()).run("a", run_at_once)
    assert folder.ledger.get(LOCAL, Kind.VIDEO, "a").fence == 0


def test_work_goes_on_in_the_trace_of_the_request_that_asked_for_it(
    folder: OpenedFolder, told: ToldSpans, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    with coming_from(Origin("r1", f"00-{TRACE}-{'2' * 16}-01")):
        job = folder.ledger.reserve(
            LOCAL, Kind.VIDEO, id="a", name="anna.mp4", settings={}, idempotency_key=None
        )
    folder.store.write(job.source, fake_video(segments=1))
    folder.ledger.received(job, 10, "ab" * 32)
    with capture_logs([merge_contextvars]) as logs:
        make_job(FakeAnalyses()).run("a", run_at_once)
    assert [(one["event"], one["request_id"], one["trace_id"]) for one in logs] == [
        ("job_taken", "r1", TRACE),
        ("job_done", "r1", TRACE),
    ]
    spans = told.end()
    assert list(spans) == ["open", "segment", "report", "job"]
    assert {trace_of(one) for one in spans.values()} == {TRACE}
    whole = spans.pop("job")
    assert whole.attributes == {"rapt.job.id": "a", "rapt.job.kind": "video"}
    assert parent_of(whole) == 0x2222222222222222
    assert {parent_of(one) for one in spans.values()} == {id_of(whole)}


def test_a_job_that_fails_says_so_in_its_span_without_words(
    folder: OpenedFolder, job: Job, told: ToldSpans, make_job: Callable[[FakeAnalyses], Work]
) -> None:
    folder.store.write(job.source, b"no video")
    make_job(FakeAnalyses()).run("a", run_at_once)
    whole = told.end()["job"]
    assert whole.attributes is not None
    assert whole.attributes["error.type"] == "UndecodableVideo"
    assert (whole.status.description, whole.events) == (None, ())


class Failing:
    """Fails a few times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise StorageUnavailable("It doesn't answer.")
        return "done"


def test_what_fails_less_often_than_there_are_tries_is_done(ending: threading.Event) -> None:
    assert Patience(3, ending, first_wait=0.001).run(Failing(2)) == "done"


def test_what_fails_at_the_last_try_too_has_failed(ending: threading.Event) -> None:
    with pytest.raises(StorageUnavailable):
        Patience(3, ending, first_wait=0.001).run(Failing(3))


def test_who_is_to_end_does_not_wait_for_the_next_try(ending: threading.Event) -> None:
    ending.set()
    with pytest.raises(HandedBack):
        Patience(3, ending, first_wait=60.0).run(Failing(1))

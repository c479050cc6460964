"""Real workers, and which jobs they are given: by priority, tenant, and what went wrong before."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from service.jobs.job import Priority, State
from service.settings import Settings
from tests.service.jobs.databases import rows_of_dbos
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import Office, office, restarted_worker, until, worker
from tests.service.kept import REMOTE_IN_SOAK

pytestmark = REMOTE_IN_SOAK

# Where two run at once, a machine that stands still for seconds makes neither a dead one.
PATIENT = {"RAPT_WORKER_STALE_SECONDS": "6.0"}


@pytest.fixture
def desk(settings: Settings) -> Iterator[Office]:
    with office(settings) as one:
        yield one


def begun_in_order(desk: Office, *ids: str) -> list[str]:
    """Jobs by when they were begun; waits until all have ended."""
    done = [desk.wait(job_id, State.DONE) for job_id in ids]
    return [job.id for job in sorted(done, key=lambda job: job.begun_at or 0.0)]


def test_a_high_priority_goes_before_all_that_wait(
    settings: Settings, desk: Office, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    first = desk.send(fake_video(segments=1, waits_for=str(go)))
    waiting = [desk.send(fake_video(segments=1)) for _ in range(3)]
    with worker(settings):
        # One of those that wait is in reserve by now, and is passed too.
        until(lambda: len(desk.folder.queue.in_hand()) == 2)
        until(lambda: desk.get(first).state is State.RUNNING)
        low = desk.send(fake_video(segments=1), Priority.LOW)
        high = desk.send(fake_video(segments=1), Priority.HIGH)
        until(lambda: rows_of_dbos(settings, high) > 0)
        go.touch()
        order = begun_in_order(desk, first, *waiting, low, high)
    assert order == [first, high, *waiting, low]


def test_a_tenant_has_no_more_in_work_than_its_bound(settings: Settings, desk: Office) -> None:
    ids = [desk.send(fake_video(segments=1, seconds=0.5)) for _ in range(3)]
    variables = {**PATIENT, "RAPT_TENANT_JOBS": "1"}
    with worker(settings, **variables), worker(settings, **variables):
        done = [desk.wait(job_id, State.DONE) for job_id in begun_in_order(desk, *ids)]
    spans = [(job.begun_at or 0.0, job.ended_at or 0.0) for job in done]
    assert [later for (_, end), (later, _) in pairwise(spans) if later < end] == []


@pytest.mark.timeout(400)
def test_a_job_that_kills_its_worker_each_time_fails_after_all_others_are_done(
    settings: Settings, desk: Office
) -> None:
    poison = desk.send(fake_video(segments=2, dies_at=0), Priority.HIGH)
    others = [desk.send(fake_video(segments=1)) for _ in range(3)]
    with restarted_worker(settings, RAPT_JOB_TRIES="3"):
        failed = desk.wait(poison, State.FAILED, seconds=300)
    assert failed.error == (
        "The work on it was begun 3 times and got no further: the worker ended each time. Its log "
        "may say why."
    )
    assert (failed.fence, failed.segments_done) == (3, 0)
    ends = [desk.get(job_id).ended_at for job_id in others]
    assert [end for end in ends if end is None or end > (failed.ended_at or 0.0)] == []


@pytest.mark.timeout(400)
def test_a_job_that_meets_a_bug_each_time_fails_after_all_others_are_done(
    settings: Settings, desk: Office
) -> None:
    poison = desk.send(fake_video(segments=2, bug_at=0), Priority.HIGH)
    others = [desk.send(fake_video(segments=1)) for _ in range(3)]
    with worker(settings, RAPT_JOB_TRIES="3"):
        failed = desk.wait(poison, State.FAILED, seconds=300)
    assert failed.error == (
        "The work ended by an error of ours that nobody expected; the worker's log has it."
    )
    assert failed.fence == 3
    ends = [desk.get(job_id).ended_at for job_id in others]
    assert [end for end in ends if end is None or end > (failed.ended_at or 0.0)] == []


def test_what_a_worker_that_ends_hands_back_another_goes_on_with(
    settings: Settings, desk: Office
) -> None:
    with worker(settings, **PATIENT) as one, worker(settings, **PATIENT) as two:
        until(lambda: one.wrote("worker_started") and two.wrote("worker_started"))
        job_id = desk.send(fake_video(segments=2, seconds=3.0))
        until(lambda: desk.get(job_id).segments_done == 1)
        first, second = (one, two) if one.wrote(job_id) else (two, one)
        first.process.terminate()
        until(lambda: second.wrote("job_taken"))
        assert first.process.wait(20) == 0
        done = desk.wait(job_id, State.DONE)
    assert (done.fence, done.ticket) == (2, 2)
    assert first.wrote("job_handed_back")


def test_a_killed_workers_job_goes_on_elsewhere_before_what_came_later(
    settings: Settings, desk: Office, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    killed = desk.send(fake_video(segments=2, seconds=1.0))
    with worker(settings) as first:
        until(lambda: desk.get(killed).segments_done == 1)
        first.process.kill()
        busy = desk.send(fake_video(segments=1, waits_for=str(go)), Priority.HIGH)
        later = [desk.send(fake_video(segments=1)) for _ in range(3)]
        with worker(settings, RAPT_EXECUTOR_ID="second") as second:
            until(lambda: second.wrote("workers_dead"))
            go.touch()
            desk.wait(busy, State.DONE)
            done = desk.wait(killed, State.DONE)
            rest = [desk.wait(job_id, State.DONE) for job_id in later]
    assert done.fence == 2
    assert sum((job.ended_at or 0.0) > (done.ended_at or 0.0) for job in rest) >= 2

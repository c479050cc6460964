import time

import pytest
from sqlalchemy import update

from service.database.tables import jobs
from service.jobs.claims import Claims
from service.jobs.errors import JobConflict, UnknownJob
from service.jobs.job import LOCAL, Job, Kind, Owner, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.origins import Origin, coming_from
from tests.service.jobs.conftest import MakeVideo

OTHERS = Owner("acme", "unspecified")


def reserve(ledger: Ledger, job_id: str, key: str | None = None, owner: Owner = LOCAL) -> Job:
    return ledger.reserve(
        owner, Kind.VIDEO, id=job_id, name=None, settings={"interval": 1.0}, idempotency_key=key
    )


def test_a_job_begins_as_one_that_arrives(ledger: Ledger) -> None:
    job = reserve(ledger, "a")
    assert (job.state, job.owner, job.settings) == (
        State.RECEIVING,
        LOCAL,
        {"interval": 1.0},
    )
    assert (job.size, job.progress, job.seconds_left, job.model) == (None, 0.0, None, None)


def test_a_job_knows_which_request_asked_for_it_until_it_is_deleted(ledger: Ledger) -> None:
    origin = Origin("r1", f"00-{'1' * 32}-{'2' * 16}-01")
    with coming_from(origin):
        reserve(ledger, "a")
    job = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert job.origin == origin
    ledger.mark_deleting(job)
    (left,) = ledger.in_states((State.DELETING,), 10)
    assert left.origin == Origin()


def test_what_has_arrived_is_queued(ledger: Ledger) -> None:
    ledger.received(reserve(ledger, "a"), 7, "cd" * 32)
    job = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (job.state, job.size, job.sha256) == (State.QUEUED, 7, "cd" * 32)


def test_another_tenants_job_is_unknown(ledger: Ledger) -> None:
    reserve(ledger, "a", owner=OTHERS)
    with pytest.raises(UnknownJob, match=r"^There is no video a\.$"):
        ledger.get(LOCAL, Kind.VIDEO, "a")
    assert ledger.page(LOCAL, Kind.VIDEO, 10, None) == []


def test_a_key_belongs_to_one_job_of_a_tenant(ledger: Ledger) -> None:
    reserve(ledger, "a", "key")
    reserve(ledger, "b", "key", OTHERS)
    with pytest.raises(JobConflict, match="is being received"):
        reserve(ledger, "c", "key")


def test_a_key_finds_its_job_once_that_has_arrived(ledger: Ledger) -> None:
    assert ledger.with_key(LOCAL, "key", 60.0) is None
    job = reserve(ledger, "a", "key")
    with pytest.raises(JobConflict, match="is being received"):
        ledger.with_key(LOCAL, "key", 60.0)
    ledger.received(job, 7, "cd" * 32)
    found = ledger.with_key(LOCAL, "key", 60.0)
    assert found is not None
    assert found.id == "a"


def test_a_key_finds_what_doesnt_arrive_any_more(ledger: Ledger) -> None:
    job = reserve(ledger, "a", "key")
    assert ledger.with_key(LOCAL, "key", abandoned_seconds=-1.0) == job
    assert ledger.older((State.RECEIVING,), "arriving_at", -1.0) == [job]


def test_jobs_are_listed_newest_first_a_page_at_a_time(ledger: Ledger) -> None:
    for job_id in "abcde":
        reserve(ledger, job_id)
    first = ledger.page(LOCAL, Kind.VIDEO, 2, None)
    second = ledger.page(LOCAL, Kind.VIDEO, 2, (first[-1].created_at, first[-1].id))
    last = ledger.page(LOCAL, Kind.VIDEO, 2, (second[-1].created_at, second[-1].id))
    assert [job.id for job in (*first, *second, *last)] == list("edcba")


@pytest.mark.parametrize("begun", [False, True])
def test_what_waits_or_is_in_work_can_be_cancelled_and_stays_so(
    ledger: Ledger, claims: Claims, queued: MakeVideo, *, begun: bool
) -> None:
    queued("a")
    if begun:
        claims.claim("a")
    assert ledger.cancel(LOCAL, Kind.VIDEO, "a").state is State.CANCELLED
    assert ledger.cancel(LOCAL, Kind.VIDEO, "a").state is State.CANCELLED


def test_what_has_ended_or_not_arrived_cant_be_cancelled(
    ledger: Ledger, claims: Claims, queued: MakeVideo
) -> None:
    reserve(ledger, "a")
    queued("b")
    claims.finish(claims.claim("b"))
    for job_id, state in (("a", "receiving"), ("b", "done")):
        with pytest.raises(JobConflict, match=rf"^The video is {state}; there is nothing"):
            ledger.cancel(LOCAL, Kind.VIDEO, job_id)


def test_what_is_being_deleted_is_unknown_and_its_key_is_free(ledger: Ledger) -> None:
    job = reserve(ledger, "a", "key")
    ledger.mark_deleting(job)
    with pytest.raises(UnknownJob):
        ledger.get(LOCAL, Kind.VIDEO, "a")
    with pytest.raises(JobConflict):
        ledger.received(job, 7, "cd" * 32)
    (left,) = ledger.in_states((State.DELETING,), 10)
    assert (left.id, left.name, left.sha256) == ("a", None, None)
    reserve(ledger, "b", "key")


def test_a_job_that_went_on_meanwhile_is_not_failed(
    ledger: Ledger, claims: Claims, queued: MakeVideo
) -> None:
    seen = queued("a")
    claims.claim("a")
    ledger.fail(seen, "It ended.")
    assert ledger.get(LOCAL, Kind.VIDEO, "a").state is State.RUNNING
    ledger.fail(ledger.get(LOCAL, Kind.VIDEO, "a"), "It ended.")
    assert ledger.get(LOCAL, Kind.VIDEO, "a").error == "It ended."


def test_jobs_are_counted_by_state(ledger: Ledger, queued: MakeVideo) -> None:
    assert ledger.oldest_queued() == 0.0
    queued("a")
    time.sleep(0.1)
    queued("b")
    reserve(ledger, "c")
    counts = {state: count for state, count in ledger.counts().items() if count}
    assert counts == {State.QUEUED: 2, State.RECEIVING: 1}
    assert 0.1 <= ledger.oldest_queued() < 60.0


def test_the_age_of_what_is_in_work_is_counted_from_its_beginning(
    folder: OpenedFolder, ledger: Ledger, claims: Claims, queued: MakeVideo
) -> None:
    queued("a")
    with folder.database.begin() as connection:
        connection.execute(update(jobs).values(queued_at=jobs.c.queued_at - 1000.0))
    assert ledger.oldest_running() == 0.0
    claims.claim("a")
    assert 0.0 <= ledger.oldest_running() < 100.0

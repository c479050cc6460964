"""The queue, wherever it is kept."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from sqlalchemy import update

from service.database.connection import Database
from service.database.tables import jobs, turns
from service.jobs.claims import ClaimLost, Claims
from service.jobs.job import LOCAL, Job, Kind, Owner, Priority, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.jobs.queue import Queue
from service.present import QueueWait

Send = Callable[..., Job]


@pytest.fixture
def database(folder: OpenedFolder) -> Database:
    return folder.database


@pytest.fixture
def send(database: Database) -> Send:
    """Makes the row of a job that has arrived, each a little later than the one before."""
    ledger, numbers = Ledger(database), count()

    def make(job_id: str, tenant: str = "local", priority: Priority = Priority.NORMAL) -> Job:
        owner = Owner(tenant, LOCAL.purpose)
        more: dict[str, Any] = {"name": None, "settings": {}, "idempotency_key": None}
        job = ledger.reserve(owner, Kind.VIDEO, id=job_id, priority=priority, **more)
        ledger.received(job, 1, "ab" * 32)
        with database.begin() as connection:
            change = update(jobs).where(jobs.c.id == job_id)
            connection.execute(change.values(queued_at=1000.0 + next(numbers)))
        return job_of(database, job_id)

    return make


def job_of(database: Database, job_id: str) -> Job:
    return next(one for one in Ledger(database).in_states(list(State), 1000) if one.id == job_id)


def in_hand(queue: Queue) -> set[str]:
    return {job.id for job in queue.in_hand()}


def test_what_is_handed_out_has_the_next_ticket(database: Database, send: Send) -> None:
    queue = Queue(database)
    send("a")
    queue.hand_out(1)
    (job,) = queue.in_hand()
    assert (job.state, job.ticket, job.tickets) == (State.QUEUED, 1, ["a", "a-1"])
    queue.hand_out(1)
    assert queue.in_hand() == [job]


def test_few_are_handed_out_ahead_those_that_wait_longest(database: Database, send: Send) -> None:
    queue = Queue(database)
    for name in "abcde":
        send(name)
    queue.hand_out(1)
    assert in_hand(queue) == {"a", "b"}
    claims = Claims(database, "worker-1")
    claims.finish(claims.claim("a", 1))
    queue.hand_out(1)
    assert in_hand(queue) == {"b", "c"}


def test_a_high_priority_passes_all_that_wait(database: Database, send: Send) -> None:
    queue = Queue(database)
    for name in "abcd":
        send(name)
    queue.hand_out(1)
    send("low", priority=Priority.LOW)
    send("high", priority=Priority.HIGH)
    queue.hand_out(1)
    ranks = {job.id: job.rank for job in queue.in_hand()}
    assert ranks == {"a": 2, "b": 2, "high": 1}


def test_many_jobs_of_one_tenant_dont_hold_up_anothers(database: Database, send: Send) -> None:
    queue = Queue(database)
    for number in range(20):
        send(f"a{number}", "acme")
    send("b", "other")
    queue.hand_out(1)
    assert in_hand(queue) == {"a0", "b"}


def test_a_tenant_is_given_no_more_than_its_bound(database: Database, send: Send) -> None:
    queue = Queue(database, most_a_tenant=1)
    for name in "abc":
        send(name)
    queue.hand_out(3)
    assert in_hand(queue) == {"a"}
    claims = Claims(database, "worker-1")
    claim = claims.claim("a", 1)
    queue.hand_out(3)
    assert in_hand(queue) == {"a"}
    claims.finish(claim)
    queue.hand_out(3)
    assert in_hand(queue) == {"b"}


def test_who_hands_out_waits_for_another_that_does_and_sees_what_that_did(
    database: Database, send: Send
) -> None:
    for name in "abcd":
        send(name)
    queue = Queue(database)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            connection.execute(update(turns).values(taken=turns.c.taken + 1))
            asked = pool.submit(queue.hand_out, 1)
            others = update(jobs).where(jobs.c.id.in_(["c", "d"]))
            connection.execute(others.values(handed_out_at=1.0, ticket=1))
            with pytest.raises(TimeoutError):
                asked.result(0.3)
        asked.result()
    assert in_hand(queue) == {"c", "d"}


def test_only_the_last_ticket_can_be_begun_and_only_while_it_is_out(
    database: Database, send: Send
) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    send("a")
    with pytest.raises(ClaimLost):
        claims.claim("a", 0)
    queue.hand_out(1)
    queue.put_back(job_of(database, "a"))
    with pytest.raises(ClaimLost):
        claims.claim("a", 1)
    queue.hand_out(1)
    with pytest.raises(ClaimLost):
        claims.claim("a", 1)
    assert claims.claim("a", 2).job.fence == 1


def test_what_the_dead_had_in_work_is_abandoned(database: Database, send: Send) -> None:
    queue = Queue(database)
    for name in ("a", "b", "c"):
        send(name)
    Claims(database, "worker-1").claim("a")
    Claims(database, "worker-2").claim("b")
    assert [job.id for job in queue.abandoned({"worker-1"})] == ["b"]
    assert {job.id for job in queue.abandoned(set())} == {"a", "b"}


def test_what_is_put_back_waits_where_it_was_and_its_worker_has_lost_it(
    database: Database, send: Send
) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    for name in "abc":
        send(name)
    claim = claims.claim("a")
    queue.put_back(job_of(database, "a"))
    assert not claims.holds(claim)
    queue.hand_out(1)
    assert in_hand(queue) == {"a", "b"}


def test_what_stumbled_twice_goes_behind_all_others(database: Database, send: Send) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    send("bad", priority=Priority.HIGH)
    for _ in range(2):
        claims.claim("bad")
        queue.put_back(job_of(database, "bad"))
    for name in ("a", "b"):
        send(name, priority=Priority.LOW)
    queue.hand_out(1)
    assert in_hand(queue) == {"a", "b"}


def test_a_segment_done_is_no_stumble(database: Database, send: Send) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    send("a")
    for number in range(4):
        claims.store(claims.claim("a"), number, b"seen", 1.0)
        claims.claim("a")
        queue.put_back(job_of(database, "a"))
    assert (job_of(database, "a").rank, job_of(database, "a").attempts) == (2, 1)


def test_a_job_that_is_handed_back_keeps_its_place_and_has_not_stumbled(
    database: Database, send: Send
) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    for name in "abc":
        send(name)
    for _ in range(9):
        claims.hand_back(claims.claim("a"))
    assert (job_of(database, "a").attempts, job_of(database, "a").state) == (0, State.QUEUED)
    queue.hand_out(1)
    assert in_hand(queue) == {"a", "b"}


def test_a_job_that_went_on_meanwhile_is_not_put_back(database: Database, send: Send) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    seen = send("a")
    claim = claims.claim("a")
    queue.put_back(seen)
    assert claims.holds(claim)
    claims.finish(claim)
    queue.put_back(claim.job)
    assert job_of(database, "a").state is State.DONE


def test_how_long_jobs_waited_is_known_by_priority(database: Database, send: Send) -> None:
    queue, claims = Queue(database), Claims(database, "worker-1")
    assert queue.waits() == {}
    now = time.time()
    for name, priority, waited in (
        ("a", Priority.NORMAL, 1.0),
        ("b", Priority.NORMAL, 3.0),
        ("c", Priority.HIGH, 0.5),
    ):
        send(name, priority=priority)
        claims.claim(name)
        with database.begin() as connection:
            change = update(jobs).where(jobs.c.id == name)
            connection.execute(change.values(queued_at=now - waited, begun_at=now))
    waits = {
        priority: QueueWait(round(wait.mean, 3), round(wait.longest, 3))
        for priority, wait in queue.waits().items()
    }
    assert waits == {Priority.NORMAL: QueueWait(2.0, 3.0), Priority.HIGH: QueueWait(0.5, 0.5)}


def test_the_first_begin_ends_the_wait(database: Database, send: Send) -> None:
    claims = Claims(database, "worker-1")
    send("a")
    first = claims.claim("a").job
    assert first.begun_at is not None
    assert claims.claim("a").job.begun_at == first.begun_at

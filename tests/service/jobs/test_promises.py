"""Who is to be told of a job's end, wherever jobs are kept."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from service.database.connection import Database
from service.database.tables import deliveries, jobs
from service.delivery.deliveries import Deliveries, Delivery
from service.jobs.claims import ClaimLost, Claims
from service.jobs.errors import JobConflict
from service.jobs.job import LOCAL, Job, Kind, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.jobs.promises import Channel, count_due, fall_due, promise_later

HOOK = "https://example.com/hook"


@pytest.fixture
def database(folder: OpenedFolder) -> Database:
    return folder.database


def reserve(database: Database, webhook: str | None = HOOK, key: str | None = None) -> Job:
    values: dict[str, Any] = {"id": "a", "name": None, "settings": {}, "idempotency_key": key}
    return Ledger(database).reserve(LOCAL, Kind.VIDEO, webhook=webhook, **values)


def queue(database: Database, webhook: str | None = HOOK) -> Job:
    job = reserve(database, webhook)
    Ledger(database).received(job, 1, "ab" * 32)
    return Ledger(database).get(LOCAL, Kind.VIDEO, job.id)


def rows(database: Database) -> list[tuple[str, str, bool]]:
    with database.begin() as connection:
        found = connection.execute(select(deliveries)).all()
    return [(row.channel, row.address, row.due_at is not None) for row in found]


def taken(database: Database, seconds: float = 60.0) -> list[Delivery]:
    return Deliveries(database, Channel.WEBHOOK).take(10, seconds)


def test_what_is_promised_is_not_due_before_the_job_has_ended(database: Database) -> None:
    queue(database)
    assert rows(database) == [("webhook", HOOK, False)]
    assert taken(database) == []


def test_a_job_without_a_webhook_promises_nothing(database: Database) -> None:
    queue(database, None)
    assert rows(database) == []


def test_a_job_that_can_not_be_made_promises_nothing(database: Database) -> None:
    reserve(database, key="k")
    other: dict[str, Any] = {"id": "b", "name": None, "settings": {}, "idempotency_key": "k"}
    with pytest.raises(JobConflict):
        Ledger(database).reserve(LOCAL, Kind.VIDEO, webhook=HOOK, **other)
    assert rows(database) == [("webhook", HOOK, False)]


@pytest.mark.parametrize("end", ["finish", "fail", "give up", "cancel"])
def test_every_end_of_a_job_is_told(database: Database, end: str) -> None:
    job = queue(database)
    claims = Claims(database, "worker-1")
    if end == "finish":
        claims.finish(claims.claim("a"))
    elif end == "fail":
        claims.fail(claims.claim("a"), "It is damaged.")
    elif end == "give up":
        Ledger(database).fail(job, "It is damaged.")
    else:
        Ledger(database).cancel(LOCAL, Kind.VIDEO, "a")
    (delivery,) = taken(database)
    assert (delivery.address, delivery.attempts) == (HOOK, 1)
    assert delivery.job == Ledger(database).get(LOCAL, Kind.VIDEO, "a")
    assert delivery.job.ended_at is not None


def test_an_end_that_is_told_twice_is_due_once(database: Database) -> None:
    job = queue(database)
    ledger = Ledger(database)
    ledger.cancel(LOCAL, Kind.VIDEO, "a")
    assert len(taken(database)) == 1
    ledger.cancel(LOCAL, Kind.VIDEO, "a")
    ledger.fail(job, "late")
    assert taken(database) == []


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "in-work"])
def test_what_is_deleted_is_not_told(database: Database, *, ended: bool) -> None:
    job = queue(database)
    if ended:
        Ledger(database).cancel(LOCAL, Kind.VIDEO, "a")
    Ledger(database).mark_deleting(job)
    assert rows(database) == []


def test_an_upload_that_ends_early_leaves_no_promise(database: Database) -> None:
    Ledger(database).forget(reserve(database))
    assert rows(database) == []


def test_what_is_taken_is_nobody_elses_until_its_time_is_over(database: Database) -> None:
    queue(database)
    Ledger(database).cancel(LOCAL, Kind.VIDEO, "a")
    (first,) = taken(database)
    assert taken(database) == []
    with database.begin() as connection:
        connection.execute(update(deliveries).values(due_at=time.time()))
    (again,) = taken(database)
    assert (again.id, again.attempts) == (first.id, 2)


def test_who_took_too_long_changes_nothing_any_more(database: Database) -> None:
    queue(database)
    Ledger(database).cancel(LOCAL, Kind.VIDEO, "a")
    (first,) = taken(database, -1.0)
    (again,) = taken(database)
    table = Deliveries(database, Channel.WEBHOOK)
    table.end(first)
    table.put_off(first, 0.0)
    assert taken(database) == []
    table.put_off(again, -1.0)
    assert [one.attempts for one in taken(database)] == [3]


def test_several_couriers_take_each_delivery_once(database: Database) -> None:
    with database.begin() as connection:
        for number in range(40):
            values = {"id": f"j{number}", "kind": Kind.VIDEO, "settings": {}}
            owner = {"tenant": "local", "purpose": "unspecified", "created_at": 1.0}
            connection.execute(insert(jobs).values(state=State.DONE, **values, **owner))
            row = {"id": f"d{number}", "job_id": f"j{number}", "channel": "webhook"}
            connection.execute(insert(deliveries).values(address=HOOK, due_at=1.0, **row))
    found: list[str] = []

    def go_round() -> None:
        while batch := Deliveries(database, Channel.WEBHOOK).take(7, 60.0):
            found.extend(one.id for one in batch)

    threads = [threading.Thread(target=go_round) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"d{number}" for number in range(40))


def test_what_is_promised_later_is_due_at_once_if_the_job_has_ended(database: Database) -> None:
    job = queue(database, None)
    assert promise_later(database, job, Channel.KAFKA, "request-1")
    assert rows(database) == [("kafka", "request-1", False)]
    assert promise_later(database, job, Channel.KAFKA, "request-2")
    assert rows(database) == [("kafka", "request-1", False)]
    Ledger(database).cancel(LOCAL, Kind.VIDEO, "a")
    (told,) = Deliveries(database, Channel.KAFKA).take(1, 60.0)
    Deliveries(database, Channel.KAFKA).end(told)
    assert promise_later(database, job, Channel.KAFKA, "request-1")
    assert rows(database) == [("kafka", "request-1", True)]


def test_what_is_promised_later_waits_for_who_is_just_ending_the_job(database: Database) -> None:
    job = queue(database, None)
    later = partial(promise_later, database, job, Channel.KAFKA, "request-1")
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            connection.execute(update(jobs).values(state=State.DONE))
            fall_due(connection, job.id)
            promised = pool.submit(later)
            # Time to look at a job that has not ended yet, for who doesn't wait.
            wait([promised], 0.5)
        assert promised.result()
    assert rows(database) == [("kafka", "request-1", True)]


def test_nothing_is_promised_for_a_job_that_is_gone(database: Database) -> None:
    job = reserve(database, None)
    Ledger(database).forget(job)
    assert not promise_later(database, job, Channel.KAFKA, "request-1")


def test_how_many_are_still_to_be_told_is_counted(database: Database) -> None:
    assert count_due(database) == {Channel.WEBHOOK: 0, Channel.KAFKA: 0}
    job = queue(database)
    promise_later(database, job, Channel.KAFKA, "request-1")
    assert count_due(database) == {Channel.WEBHOOK: 0, Channel.KAFKA: 0}
    Ledger(database).cancel(LOCAL, Kind.VIDEO, "a")
    assert count_due(database) == {Channel.WEBHOOK: 1, Channel.KAFKA: 1}


def test_an_end_that_is_not_committed_is_not_told(database: Database) -> None:
    queue(database)
    claims = Claims(database, "worker-1")
    claim = claims.claim("a")
    with database.begin() as connection:
        connection.execute(update(jobs).values(fence=7))
    with pytest.raises(ClaimLost):
        claims.finish(claim)
    assert rows(database) == [("webhook", HOOK, False)]

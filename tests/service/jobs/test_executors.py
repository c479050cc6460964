import time

from sqlalchemy import update
from structlog.testing import capture_logs

from service.database.tables import executors as rows
from service.jobs.executors import Executors, Heartbeat
from service.jobs.opened import OpenedFolder


def test_who_says_so_is_alive_until_it_has_said_nothing_for_long(folder: OpenedFolder) -> None:
    executors = Executors(folder.database, stale_seconds=60)
    heartbeat = Heartbeat(folder.database, "worker-1")
    heartbeat.beat()
    heartbeat.beat()
    assert executors.alive() == {"worker-1"}
    with folder.database.begin() as connection:
        connection.execute(update(rows).values(heartbeat=0.0))
    assert executors.alive() == set()
    heartbeat.beat()
    assert executors.alive() == {"worker-1"}


def test_who_ends_is_alive_no_more_but_not_who_took_its_name(folder: OpenedFolder) -> None:
    first, second = (Heartbeat(folder.database, "worker-1") for _ in range(2))
    first.beat()
    second.beat()
    first.end()
    assert folder.executors.alive() == {"worker-1"}
    second.end()
    assert folder.executors.alive() == set()


def test_who_has_been_dead_for_long_is_forgotten(folder: OpenedFolder) -> None:
    executors = Executors(folder.database, stale_seconds=0.0001)
    Heartbeat(folder.database, "worker-1").beat()
    time.sleep(0.02)
    executors.forget_dead()
    assert Executors(folder.database, stale_seconds=60).alive() == set()


def test_of_two_of_one_name_the_one_that_was_first_says_so(folder: OpenedFolder) -> None:
    first, second = (Heartbeat(folder.database, "worker-1") for _ in range(2))
    with capture_logs() as logged:
        first.beat()
        first.beat()
        second.beat()
        assert logged == []
        first.beat()
    assert [(one["event"], one["executor"]) for one in logged] == [
        ("worker_name_taken", "worker-1")
    ]

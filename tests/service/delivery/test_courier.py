"""Rounds of a courier on real rows; who sends is made up."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from service.database.connection import Database
from service.database.tables import deliveries, jobs
from service.delivery.courier import Courier, Outcome, Pace
from service.delivery.deliveries import Deliveries, Delivery
from service.jobs.job import LOCAL, Kind
from service.jobs.opened import opened_folder
from service.jobs.promises import Channel
from service.settings import Settings

HOUR = 3600.0
PACE = Pace(5.0, HOUR, 24 * HOUR)


class FakeSender:
    """Has the next outcome each time, and keeps what it was to send."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        self.sent: list[Delivery] = []

    def send(self, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        self.sent.extend(batch)
        return [self._outcomes.pop(0) for _ in batch]


@pytest.fixture
def database() -> Iterator[Database]:
    """With one job that was cancelled, and whose webhook is due."""
    with opened_folder(Settings()) as folder:
        values: dict[str, Any] = {"id": "a", "name": None, "settings": {}}
        job = folder.ledger.reserve(LOCAL, Kind.VIDEO, webhook="https://example.com/", **values)
        folder.ledger.received(job, 1, "ab" * 32)
        folder.ledger.cancel(LOCAL, Kind.VIDEO, "a")
        yield folder.database


def go_round(database: Database, *outcomes: Outcome) -> FakeSender:
    sender = FakeSender(*outcomes)
    Courier(Deliveries(database, Channel.WEBHOOK), sender, PACE).go_round()
    return sender


def make_due(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(update(deliveries).values(due_at=0.0))


def left(database: Database) -> int:
    with database.begin() as connection:
        return len(connection.execute(select(deliveries)).all())


def test_what_has_arrived_is_forgotten(database: Database) -> None:
    assert [one.job.id for one in go_round(database, Outcome()).sent] == ["a"]
    assert left(database) == 0
    assert go_round(database).sent == []


def test_what_has_not_is_tried_again_later_under_the_same_id(database: Database) -> None:
    first = go_round(database, Outcome("It answered 500."))
    assert go_round(database).sent == []
    make_due(database)
    second = go_round(database, Outcome())
    assert [one.id for one in first.sent] == [one.id for one in second.sent]
    assert left(database) == 0


def test_what_is_final_is_given_up(database: Database) -> None:
    go_round(database, Outcome("It answered 410.", is_final=True))
    assert left(database) == 0


def test_what_is_a_day_old_is_given_up_and_the_log_says_so(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.begin() as connection:
        connection.execute(update(jobs).values(ended_at=jobs.c.ended_at - 25 * HOUR))
    go_round(database, Outcome("It answered 500."))
    assert left(database) == 0
    written = capsys.readouterr().out
    assert "delivery_given_up" in written
    assert "It answered 500." in written
    assert "example.com" not in written


def test_waits_grow_four_times_each_up_to_the_longest() -> None:
    waits = [PACE.wait_after(attempts) for attempts in range(1, 9)]
    assert waits == [5.0, 20.0, 80.0, 320.0, 1280.0, HOUR, HOUR, HOUR]


def test_who_asks_to_be_left_alone_is_up_to_the_longest() -> None:
    assert PACE.wait_after(1, 60.0) == 60.0
    assert PACE.wait_after(4, 60.0) == 320.0
    assert PACE.wait_after(1, 1e9) == HOUR

"""The rows of what is to be told: who may send one, and when it is tried again.

Who takes a delivery raises its number of attempts by one and puts off the next try; every later
write asks for that number. So of several couriers one sends it, and where that one dies another
does so later.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select, update

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import deliveries, jobs
from service.jobs.job import Job
from service.jobs.promises import Channel


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job's end, on its way to somebody.

    Attributes:
        id: the same at each try; receivers know by it that they were told already.
        job: that has ended.
        address: who is to be told; its meaning is the channel's.
        attempts: tries that were begun, this one included.
    """

    id: str
    job: Job
    address: str
    attempts: int


class Deliveries:
    """The table. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database, channel: Channel) -> None:
        """Look at what goes one way."""
        self._database = database
        self._channel = channel

    def take(self, most: int, seconds: float) -> list[Delivery]:
        """Take what is due, the longest due first.

        Args:
            most: at most so many.
            seconds: after which another may take them, unless it was noted what came of them.
        """
        now = Now()
        due = (
            select(deliveries)
            .where(deliveries.c.channel == self._channel, deliveries.c.due_at <= now)
            .order_by(deliveries.c.due_at, deliveries.c.id)
            .limit(most)
        )
        with self._database.begin() as connection:
            taken = [
                row
                for row in connection.execute(due).all()
                if connection.execute(
                    update(deliveries)
                    .where(*_mine(row.id, row.attempts), deliveries.c.due_at <= now)
                    .values(attempts=row.attempts + 1, due_at=now + seconds)
                ).rowcount
            ]
            wanted = select(jobs).where(jobs.c.id.in_([row.job_id for row in taken]))
            found = {row["id"]: Job.of(row) for row in connection.execute(wanted).mappings()}
        return [Delivery(row.id, found[row.job_id], row.address, row.attempts + 1) for row in taken]

    def end(self, delivery: Delivery) -> None:
        """Forget a delivery: it has arrived, or was given up."""
        with self._database.begin() as connection:
            mine = _mine(delivery.id, delivery.attempts)
            connection.execute(delete(deliveries).where(*mine))

    def put_off(self, delivery: Delivery, seconds: float) -> None:
        """Have a delivery tried again later."""
        with self._database.begin() as connection:
            mine = _mine(delivery.id, delivery.attempts)
            connection.execute(update(deliveries).where(*mine).values(due_at=Now() + seconds))


def _mine(delivery_id: str, attempts: int) -> tuple[ColumnElement[bool], ...]:
    return deliveries.c.id == delivery_id, deliveries.c.attempts == attempts

"""Who is to be told of a job's end: promised when it is asked for, due when it has ended.

A promise is kept in the transaction that makes the job's row, falls due in the one that ends the
job, and goes with what is deleted: so none is lost, and none is told of what did not happen.
"""

import uuid
from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select, update

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import deliveries, jobs
from service.jobs.job import ENDED, Job


class Channel(StrEnum):
    """How somebody is told."""

    WEBHOOK = "webhook"
    KAFKA = "kafka"


def promise(
    connection: Connection,
    job_id: str,
    channel: Channel,
    address: str,
    due_at: Now | None = None,
) -> None:
    """Note that a job's end is to be told.

    Args:
        connection: in a transaction.
        job_id: whose end.
        channel: how.
        address: to whom; its meaning is the channel's.
        due_at: when, where the job has ended already.
    """
    row = {"job_id": job_id, "channel": channel, "address": address, "due_at": due_at}
    connection.execute(insert(deliveries).values(id=uuid.uuid4().hex, **row))


def promise_later(database: Database, job: Job, channel: Channel, address: str) -> bool:
    """Note it for a job that is there already, be it that it ended meanwhile.

    Returns:
        Whether the job is there still.

    Raises:
        StorageFull: there is no room.
        StorageUnavailable: the database doesn't answer.
    """
    with database.begin() as connection:
        # Written to, so that it can't end between the look and the note: SQLite locks nothing for
        # who only looks.
        same = update(jobs).where(jobs.c.id == job.id).values(state=jobs.c.state)
        if not connection.execute(same).rowcount:
            return False
        state = connection.scalar(select(jobs.c.state).where(jobs.c.id == job.id))
        mine = deliveries.c.job_id == job.id, deliveries.c.channel == channel
        if connection.execute(select(deliveries.c.id).where(*mine)).first() is None:
            due_at = Now() if state in ENDED else None
            promise(connection, job.id, channel, address, due_at)
        return True


def fall_due(connection: Connection, job_id: str) -> None:
    """Have what was promised for a job be told from now on. To be called once it has ended."""
    mine = deliveries.c.job_id == job_id, deliveries.c.due_at.is_(None)
    connection.execute(update(deliveries).where(*mine).values(due_at=Now()))


def withdraw(connection: Connection, job_id: str) -> None:
    """Forget what was promised for a job."""
    connection.execute(delete(deliveries).where(deliveries.c.job_id == job_id))


def count_due(database: Database) -> Mapping[str, int]:
    """Return how many ends of jobs are still to be told, by channel.

    Raises:
        StorageFull: there is no room.
        StorageUnavailable: the database doesn't answer.
    """
    query = (
        select(deliveries.c.channel, func.count())
        .where(deliveries.c.due_at.is_not(None))
        .group_by(deliveries.c.channel)
    )
    with database.begin() as connection:
        counted = {Channel(row[0]): row[1] for row in connection.execute(query)}
    return {channel.value: counted.get(channel, 0) for channel in Channel}

"""The queue is the rows: which jobs wait, which the workers were given, and which come back.

Workers are given few jobs ahead, so that a job may be passed as long as it waits. Each time that
one is handed out it has the next ticket, and only who has the last one can begin it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import jobs, turns
from service.jobs.job import ACTIVE, STUMBLES, Job, Priority, State
from service.jobs.turns import InHand, Waiting, choose
from service.present import QueueWait

_LATELY = 600.0  # Seconds.


class Queue:
    """Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database, most_a_tenant: int = 0) -> None:
        """Hand out at most so many jobs of a tenant at once; 0 is no bound."""
        self._database = database
        self._most_a_tenant = most_a_tenant

    def hand_out(self, workers: int) -> None:
        """Choose what workers get next, as many as there are; see ``choose``.

        No job is chosen twice, though many may ask at once.
        """
        with self._database.begin() as connection:
            # Looked at first without holding up others: most of the time there is nothing to do.
            if not self._chosen(connection, workers):
                return
        with self._database.begin() as connection:
            _take_turn(connection)
            for one in self._chosen(connection, workers):
                connection.execute(
                    update(jobs)
                    .where(jobs.c.id == one.id, *_WAITS)
                    .values(handed_out_at=Now(), ticket=jobs.c.ticket + 1)
                )

    def in_hand(self) -> list[Job]:
        """Return what the workers were given and has not ended."""
        return self._rows(jobs.c.state.in_(ACTIVE), jobs.c.handed_out_at.is_not(None))

    def abandoned(self, alive: Collection[str]) -> list[Job]:
        """Return what is in work by executors that are not alive."""
        return self._rows(jobs.c.state == State.RUNNING, jobs.c.executor.not_in(alive))

    def in_work(self, executor: str) -> list[Job]:
        """Return what is in work by an executor."""
        return self._rows(jobs.c.state == State.RUNNING, jobs.c.executor == executor)

    def put_back(self, job: Job) -> None:
        """Have a job wait again that ended without a word, unless it went on meanwhile.

        It keeps its place the first time. One that has stumbled twice goes to the queue's end,
        behind all of low priority: what kills its worker holds nobody up.
        """
        stumbled = jobs.c.attempts >= STUMBLES
        with self._database.begin() as connection:
            connection.execute(
                update(jobs)
                .where(
                    jobs.c.id == job.id,
                    jobs.c.state == job.state,
                    jobs.c.fence == job.fence,
                    jobs.c.ticket == job.ticket,
                )
                .values(
                    state=State.QUEUED,
                    executor=None,
                    handed_out_at=None,
                    waits_since=case((stumbled, Now()), else_=jobs.c.waits_since),
                )
            )

    def waits(self) -> Mapping[Priority, QueueWait]:
        """Return how long jobs waited that were begun lately; priorities without one are left out.

        From when a job had arrived to when the work first began.
        """
        waited = jobs.c.begun_at - jobs.c.queued_at
        query = (
            select(jobs.c.priority, func.avg(waited), func.max(waited))
            .where(jobs.c.begun_at > Now() - _LATELY, jobs.c.queued_at.is_not(None))
            .group_by(jobs.c.priority)
        )
        with self._database.begin() as connection:
            return {
                Priority(priority): QueueWait(max(0.0, mean), max(0.0, longest))
                for priority, mean, longest in connection.execute(query)
            }

    def _chosen(self, connection: Connection, workers: int) -> list[Waiting]:
        waiting = _first_of_each(connection, 2 * workers)
        if not waiting:
            return []
        given = select(jobs.c.tenant, _RANK, jobs.c.state).where(
            jobs.c.state.in_(ACTIVE), jobs.c.handed_out_at.is_not(None)
        )
        in_hand = [
            InHand(tenant, rank, state == State.RUNNING)
            for tenant, rank, state in connection.execute(given)
        ]
        return choose(waiting, in_hand, workers, self._most_a_tenant)

    def _rows(self, *conditions: ColumnElement[bool]) -> list[Job]:
        with self._database.begin() as connection:
            found = connection.execute(select(jobs).where(*conditions))
            return [Job.of(row) for row in found.mappings()]


_WAITS = (jobs.c.state == State.QUEUED, jobs.c.handed_out_at.is_(None))
# As ``Job.rank``.
_RANK: Any = case(
    (jobs.c.attempts >= STUMBLES, Priority.LOW.rank),
    *((jobs.c.priority == priority, priority.rank) for priority in Priority),
)


def _take_turn(connection: Connection) -> None:
    """Wait until nobody else chooses, and choose alone until the transaction ends."""
    mine = update(turns).where(turns.c.name == "queue")
    connection.execute(mine.values(taken=turns.c.taken + 1))


def _first_of_each(connection: Connection, most: int) -> list[Waiting]:
    """Return what waits; of each rank and tenant at most so many, those that wait longest."""
    since = func.coalesce(jobs.c.waits_since, jobs.c.queued_at, jobs.c.created_at)
    place = func.row_number().over(partition_by=(_RANK, jobs.c.tenant), order_by=(since, jobs.c.id))
    one = (
        select(
            jobs.c.id,
            jobs.c.tenant,
            _RANK.label("rank"),
            since.label("since"),
            place.label("place"),
        )
        .where(*_WAITS)
        .subquery()
    )
    query = select(one.c.id, one.c.tenant, one.c.rank, one.c.since).where(one.c.place <= most)
    return [Waiting(*row) for row in connection.execute(query)]

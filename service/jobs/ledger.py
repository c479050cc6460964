"""A job's row, as the front reads and changes it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import jobs, segments
from service.jobs.errors import JobConflict, UnknownJob
from service.jobs.job import ACTIVE, ENDED, Job, Kind, Owner, State
from service.jobs.promises import Channel, fall_due, promise, withdraw
from service.origins import current_origin

_BEING_RECEIVED = "What has this Idempotency-Key is being received. Try again when it is here."


class Ledger:
    """The table of jobs. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are up to date."""
        self._database = database

    def reserve(
        self,
        owner: Owner,
        kind: Kind,
        *,
        webhook: str | None = None,
        **values: Any,  # noqa: ANN401  # the row's columns
    ) -> Job:
        """Make the row of a job that is about to arrive.

        Args:
            owner: whose it is.
            kind: what it is about.
            webhook: the URL that is to be told of its end.
            values: ``id``, ``name``, ``settings`` and ``idempotency_key`` (a digest, or None);
                ``priority``, if it is not the normal one; of what lies elsewhere ``uri`` and
                ``state``, as it needs not arrive.

        Raises:
            JobConflict: another job has the key.
        """
        try:
            with self._database.begin() as connection:
                connection.execute(insert(jobs).values(new_row(owner, kind, **values)))
                if webhook is not None:
                    promise(connection, values["id"], Channel.WEBHOOK, webhook)
                return _row(connection, values["id"])
        except IntegrityError as error:
            raise JobConflict(_BEING_RECEIVED) from error

    def received(self, job: Job, size: int, sha256: str) -> Job:
        """Queue a job that has arrived, and return it.

        Raises:
            JobConflict: it was deleted meanwhile, or taken for abandoned.
        """
        arrived = {"size": size, "sha256": sha256, "state": State.QUEUED, "queued_at": Now()}
        with self._database.begin() as connection:
            if not _change(connection, job, (State.RECEIVING,), **arrived):
                raise JobConflict(
                    f"The {job.kind.noun} was deleted while it arrived, or the database was away "
                    "for so long that it was taken for abandoned. Send it again."
                )
            return _row(connection, job.id)

    def still_arrives(self, job: Job) -> None:
        """Note that an upload is still arriving."""
        self._change(job, (State.RECEIVING,), arriving_at=Now())

    def forget(self, job: Job) -> None:
        """Delete a row."""
        with self._database.begin() as connection:
            connection.execute(delete(jobs).where(jobs.c.id == job.id))

    def get(self, owner: Owner, kind: Kind, job_id: str) -> Job:
        """Return a job of a tenant.

        Raises:
            UnknownJob: there is none of this kind and id, or it is somebody else's.
        """
        # PostgreSQL has no text with a zero in it, and doesn't take one to look for.
        if job_id.isalnum():
            mine = (*_visible(owner), jobs.c.kind == kind)
            found = self._rows(select(jobs).where(*mine, jobs.c.id == job_id))
            if found:
                return found[0]
        raise _unknown(kind, job_id)

    def with_key(self, owner: Owner, digest: str, abandoned_seconds: float) -> Job | None:
        """Return the job that was sent with an idempotency key.

        One that is still ``RECEIVING`` is so no more: nothing has come of it for so many seconds.

        Raises:
            JobConflict: it is still being received.
        """
        mine = (*_visible(owner), jobs.c.purpose == owner.purpose)
        mine = (*mine, jobs.c.idempotency_key == digest)
        arrives = jobs.c.arriving_at >= Now() - abandoned_seconds
        with self._database.begin() as connection:
            query = select(jobs, arrives.label("arrives")).where(*mine)
            found = connection.execute(query).mappings().first()
        if found is None:
            return None
        columns = dict(found)
        if columns.pop("arrives") and columns["state"] == State.RECEIVING:
            raise JobConflict(_BEING_RECEIVED)
        return Job.of(columns)

    def page(
        self, owner: Owner, kind: Kind, limit: int, after: tuple[float, str] | None
    ) -> list[Job]:
        """Return a tenant's jobs, the newest first.

        Args:
            owner: whose.
            kind: of which kind.
            limit: at most so many.
            after: creation time and id of the last one of the page before.
        """
        age = tuple_(jobs.c.created_at, jobs.c.id)
        before = () if after is None else (age < tuple_(*after),)
        return self._rows(
            select(jobs)
            .where(*_visible(owner), jobs.c.kind == kind, *before)
            .order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
            .limit(limit)
        )

    def cancel(self, owner: Owner, kind: Kind, job_id: str) -> Job:
        """End a job that is waiting or in work; one that is cancelled stays so.

        Raises:
            UnknownJob: see ``get``.
            JobConflict: it has ended, or has not arrived yet.
        """
        job = self.get(owner, kind, job_id)
        with self._database.begin() as connection:
            if _change(connection, job, ACTIVE, state=State.CANCELLED, ended_at=Now()):
                fall_due(connection, job.id)
        now = self.get(owner, kind, job_id)
        if now.state is not State.CANCELLED:
            raise JobConflict(f"The {kind.noun} is {now.state}; there is nothing to cancel.")
        return now

    def mark_deleting(self, job: Job) -> None:
        """Hide a job from its owner for good, and keep nothing but what erasing it takes."""
        blank = {"name": None, "sha256": None, "size": None, "error": None, "uri": None}
        blank |= {"request_id": None, "traceparent": None}
        gone = {"state": State.DELETING, "idempotency_key": None, **blank}
        states = [state for state in State if state is not State.DELETING]
        with self._database.begin() as connection:
            _change(connection, job, states, **gone)
            withdraw(connection, job.id)

    def in_states(self, states: Sequence[State], limit: int) -> list[Job]:
        """Return everybody's jobs of some states, the oldest first."""
        return self._rows(
            select(jobs)
            .where(jobs.c.state.in_(states))
            .order_by(jobs.c.created_at, jobs.c.id)
            .limit(limit)
        )

    def older(self, states: Sequence[State], column: str, seconds: float) -> list[Job]:
        """Return jobs of some states of which a time lies so many seconds back."""
        before = Now() - seconds
        return self._rows(
            select(jobs).where(jobs.c.state.in_(states), jobs.c[column] < before).limit(100)
        )

    def with_needless_source(self) -> list[Job]:
        """Return jobs that have ended and whose upload is there."""
        return self._rows(
            select(jobs)
            .where(jobs.c.state.in_(ENDED), jobs.c.source_deleted_at.is_(None))
            .limit(100)
        )

    def source_deleted(self, job: Job) -> None:
        """Note that the upload of an ended job is gone, and drop what its segments came to."""
        with self._database.begin() as connection:
            connection.execute(delete(segments).where(segments.c.job_id == job.id))
        self._change(job, ENDED, source_deleted_at=Now())

    def fail(self, job: Job, error: str) -> None:
        """End a job that nobody works on, unless it went on meanwhile."""
        with self._database.begin() as connection:
            failed = connection.execute(
                update(jobs)
                .where(
                    jobs.c.id == job.id,
                    jobs.c.state == job.state,
                    jobs.c.fence == job.fence,
                    jobs.c.ticket == job.ticket,
                )
                .values(state=State.FAILED, ended_at=Now(), error=error)
            )
            if failed.rowcount:
                fall_due(connection, job.id)

    def counts(self) -> dict[State, int]:
        """Return how many jobs there are in each state."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with self._database.begin() as connection:
            counted = {State(state): count for state, count in connection.execute(query)}
        return {state: counted.get(state, 0) for state in State}

    def oldest_queued(self) -> float:
        """Return how many seconds ago the job that waits longest was queued; 0 without one."""
        return self._oldest(State.QUEUED, "queued_at")

    def oldest_running(self) -> float:
        """Return how many seconds ago the first was begun of the jobs in work; 0 without one."""
        return self._oldest(State.RUNNING, "begun_at")

    def _oldest(self, state: State, column: str) -> float:
        age = Now() - func.min(jobs.c[column])
        with self._database.begin() as connection:
            oldest: float | None = connection.scalar(select(age).where(jobs.c.state == state))
        return max(0.0, oldest or 0.0)

    def _rows(self, query: Select[Any]) -> list[Job]:
        with self._database.begin() as connection:
            return [Job.of(row) for row in connection.execute(query).mappings()]

    def _change(self, job: Job, states: Sequence[State], **values: object) -> bool:
        """Change a row if it is in one of some states; return whether it was."""
        with self._database.begin() as connection:
            return _change(connection, job, states, **values)


def _change(connection: Connection, job: Job, states: Sequence[State], **values: object) -> bool:
    mine = jobs.c.id == job.id, jobs.c.state.in_(states)
    return bool(connection.execute(update(jobs).where(*mine).values(**values)).rowcount)


def _row(connection: Connection, job_id: str) -> Job:
    """Read what was just written, in the same transaction: afterwards storage may fail."""
    return Job.of(connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one())


def new_row(owner: Owner, kind: Kind, **values: Any) -> dict[str, Any]:  # noqa: ANN401  # columns
    """Return the row of a new job, which knows who asked for it; see ``Ledger.reserve``."""
    origin = current_origin()
    arrived = {"queued_at": Now()} if values.get("state") is State.QUEUED else {}
    return {
        "tenant": owner.tenant,
        "purpose": owner.purpose,
        "kind": kind,
        "state": State.RECEIVING,
        "created_at": Now(),
        "arriving_at": Now(),
        "request_id": origin.request_id,
        "traceparent": origin.traceparent,
        **arrived,
        **values,
    }


def _visible(owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return jobs.c.tenant == owner.tenant, jobs.c.state != State.DELETING


def _unknown(kind: Kind, job_id: str) -> UnknownJob:
    return UnknownJob(f"There is no {kind.noun} {job_id[:64]}.")

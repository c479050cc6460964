"""A job's row and segments, as the worker that holds it changes them.

Who begins the work raises the row's fence by one, and every later write asks for that fence: a
worker that was thought dead and goes on can't change anything any more.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select, update

from emotion.faces import ModelVersion
from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import jobs, segments
from service.jobs.job import ACTIVE, Job, State
from service.jobs.promises import fall_due


class ClaimLost(Exception):
    """Another worker has the job, or it was cancelled or deleted: nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job.

    Attributes:
        job: as it was when the work began, with the fence that this claim has.
        attempts: times that it was begun since a segment was last done, this one included.
    """

    job: Job
    attempts: int


class Claims:
    """Fenced writes. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database, executor: str) -> None:
        """Write as an executor."""
        self._database = database
        self._executor = executor

    def claim(self, job_id: str, ticket: int | None = None) -> Claim:
        """Begin the work on a job, or take it up from another worker.

        Args:
            job_id: the job's.
            ticket: with which it was handed out; None where nobody hands out.

        Raises:
            ClaimLost: it is not waiting, nor in work, or was handed out again since.
        """
        handed_out = (jobs.c.ticket == ticket, jobs.c.handed_out_at.is_not(None))
        with self._database.begin() as connection:
            taken = connection.execute(
                update(jobs)
                .where(
                    jobs.c.id == job_id,
                    jobs.c.state.in_(ACTIVE),
                    *(() if ticket is None else handed_out),
                )
                .values(
                    state=State.RUNNING,
                    fence=jobs.c.fence + 1,
                    attempts=jobs.c.attempts + 1,
                    executor=self._executor,
                    begun_at=func.coalesce(jobs.c.begun_at, Now()),
                )
            )
            if not taken.rowcount:
                raise ClaimLost(job_id)
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one()
        return Claim(Job.of(row), row["attempts"])

    def hand_back(self, claim: Claim) -> None:
        """Have a job wait again where it was in the queue: its worker ends, by no fault of it.

        Raises:
            ClaimLost: see there.
        """
        with self._database.begin() as connection:
            _write(
                connection,
                claim,
                state=State.QUEUED,
                executor=None,
                handed_out_at=None,
                attempts=case((jobs.c.attempts > 0, jobs.c.attempts - 1), else_=0),
            )

    def holds(self, claim: Claim) -> bool:
        """Return whether the claim still stands."""
        with self._database.begin() as connection:
            found = connection.execute(select(jobs.c.id).where(*_held(claim)))
            return found.first() is not None

    def pin(self, claim: Claim, model: ModelVersion) -> None:
        """Fix the classifier of the whole job.

        Raises:
            ClaimLost: see there.
        """
        with self._database.begin() as connection:
            _write(connection, claim, model_name=model.name, model_version=model.version)

    def pin_input(self, claim: Claim, size: int, etag: str) -> None:
        """Note what the input is that lies elsewhere: it has to stay that.

        Raises:
            ClaimLost: see there.
        """
        with self._database.begin() as connection:
            _write(connection, claim, size=size, source_etag=etag)

    def plan(self, claim: Claim, segments_total: int) -> set[int]:
        """Note of how many segments the work consists, and return the numbers of those done.

        Raises:
            ClaimLost: see there.
        """
        with self._database.begin() as connection:
            _write(connection, claim, segments_total=segments_total)
            return set(connection.scalars(_numbers(claim)))

    def store(self, claim: Claim, number: int, payload: bytes, seconds: float) -> None:
        """Keep what a segment came to.

        Raises:
            ClaimLost: see there.
        """
        with self._database.begin() as connection:
            done = set(connection.scalars(_numbers(claim)))
            if number in done:
                # Written by a try before this one, whose commit nobody confirmed.
                _write(connection, claim, segments_done=len(done))
                return
            worked = jobs.c.worked_seconds + seconds
            _write(
                connection, claim, segments_done=len(done) + 1, attempts=0, worked_seconds=worked
            )
            row = {"number": number, "fence": claim.job.fence, "payload": payload}
            connection.execute(insert(segments).values(job_id=claim.job.id, **row))

    def payloads(self, claim: Claim) -> list[bytes]:
        """Return what the segments came to, in order."""
        query = select(segments.c.payload).where(segments.c.job_id == claim.job.id)
        with self._database.begin() as connection:
            return list(connection.scalars(query.order_by(segments.c.number)))

    def finish(self, claim: Claim) -> None:
        """Let the report that was written under this claim stand; segments aren't kept.

        Who was promised to be told is told from then on.

        Raises:
            ClaimLost: see there.
        """
        ended = {"state": State.DONE, "ended_at": Now(), "report_fence": claim.job.fence}
        self._end(claim, ended)

    def fail(self, claim: Claim, error: str) -> None:
        """End the work for good, and say why, also to who was promised to be told.

        Raises:
            ClaimLost: see there.
        """
        self._end(claim, {"state": State.FAILED, "ended_at": Now(), "error": error[:1024]})

    def _end(self, claim: Claim, ended: dict[str, Any]) -> None:
        with self._database.begin() as connection:
            if _ended_so(connection, claim, ended["state"]):
                # Likewise.
                return
            _write(connection, claim, **ended)
            connection.execute(delete(segments).where(segments.c.job_id == claim.job.id))
            fall_due(connection, claim.job.id)


def _held(claim: Claim) -> tuple[Any, ...]:
    return (
        jobs.c.id == claim.job.id,
        jobs.c.fence == claim.job.fence,
        jobs.c.state == State.RUNNING,
    )


def _ended_so(connection: Connection, claim: Claim, state: State) -> bool:
    """Return whether who has this claim ended the job already: a later one has a later fence."""
    mine = jobs.c.id == claim.job.id, jobs.c.fence == claim.job.fence, jobs.c.state == state
    return connection.execute(select(jobs.c.id).where(*mine)).first() is not None


def _write(connection: Connection, claim: Claim, **values: Any) -> None:  # noqa: ANN401  # columns
    result = connection.execute(update(jobs).where(*_held(claim)).values(**values))
    if not result.rowcount:
        raise ClaimLost(claim.job.id)


def _numbers(claim: Claim) -> Any:  # noqa: ANN401  # SQLAlchemy's type has no short name
    return select(segments.c.number).where(segments.c.job_id == claim.job.id)

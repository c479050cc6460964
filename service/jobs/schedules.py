"""Schedules: which prefixes are looked at when, and what of them has become a job already."""

import hashlib
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from croniter import CroniterError, croniter
from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from emotion.errors import InvalidRequest
from service.database.connection import Database
from service.database.tables import jobs, schedules, seen_files
from service.jobs.errors import UnknownSchedule
from service.jobs.job import Kind, Owner
from service.sources import Found

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

# Five fields of cron's: numbers, ranges, steps, lists, and names of three letters. Not the letters
# alone by which the library means chance.
_FIELD = r"(?:[0-9*/,#?L-]|[A-Za-z]{3})+"
_CRON = re.compile(rf"{_FIELD}(?: {_FIELD}){{4}}")
_MOST_CRON = 100


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule's row.

    Attributes:
        id: 32 hex digits, random.
        owner: whose it is, and so its jobs.
        kind: of its jobs.
        prefix: below which its files lie; a URI that ends in a slash.
        cron: when it is looked at: minute, hour, day, month, day of the week, in UTC.
        settings: of its jobs, as asked for.
        created_at: seconds since 1970.
        next_at: when it is to be looked at again; likewise.
        looked_at: when it was last looked at to its end; likewise.
        error: why it could not be, the last time; None where it could.
    """

    id: str
    owner: Owner
    kind: Kind
    prefix: str
    cron: str
    settings: Mapping[str, Any]
    created_at: float
    next_at: float
    looked_at: float | None
    error: str | None

    @classmethod
    def of(cls, row: "RowMapping") -> Self:
        """Read a row of the table ``schedules``."""
        rest = {name: value for name, value in row.items() if name not in ("tenant", "purpose")}
        rest["kind"] = Kind(row["kind"])
        return cls(owner=Owner(row["tenant"], row["purpose"]), **rest)

    def after(self, now: float) -> float:
        """Return when it is to be looked at after a time, in seconds since 1970."""
        return next_time(self.cron, now)


def next_time(cron: str, now: float) -> float:
    """Return when cron's five fields next hold after a time, in UTC; seconds since 1970.

    Raises:
        InvalidRequest: they are none, or never hold.
    """
    if len(cron) <= _MOST_CRON and _CRON.fullmatch(cron):
        try:
            return float(croniter(cron, now).get_next(float))
        except CroniterError as error:
            raise _no_cron(cron) from error
    raise _no_cron(cron)


def digest_of(found: Found) -> str:
    """Return what is kept of a file that became a job: the same as long as its content is."""
    known_by = f"{found.location.key}\0{found.etag or found.size}"
    return hashlib.sha256(known_by.encode()).hexdigest()


class Schedules:
    """The tables of schedules. Every method may raise ``StorageFull``, ``StorageUnavailable``."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are up to date."""
        self._database = database

    def add(self, owner: Owner, **values: Any) -> Schedule:  # noqa: ANN401  # the row's columns
        """Make a schedule.

        Args:
            owner: whose.
            values: ``id``, ``kind``, ``prefix``, ``cron``, ``settings`` and ``next_at``.
        """
        row = {"tenant": owner.tenant, "purpose": owner.purpose, "created_at": time.time()}
        with self._database.begin() as connection:
            connection.execute(insert(schedules).values(**row, **values))
        return self.get(owner, values["id"])

    def get(self, owner: Owner, schedule_id: str) -> Schedule:
        """Return a schedule of a tenant.

        Raises:
            UnknownSchedule: there is none of this id, or it is somebody else's.
        """
        # As for jobs: PostgreSQL doesn't take a zero in a text.
        if schedule_id.isalnum():
            found = self._rows(_of(owner).where(schedules.c.id == schedule_id))
            if found:
                return found[0]
        raise UnknownSchedule(f"There is no schedule {schedule_id[:64]}.")

    def of(self, owner: Owner) -> list[Schedule]:
        """Return a tenant's schedules, the oldest first."""
        return self._rows(_of(owner).order_by(schedules.c.created_at, schedules.c.id))

    def delete(self, schedule: Schedule) -> None:
        """Delete a schedule, and what is known of its files; its jobs stay."""
        with self._database.begin() as connection:
            connection.execute(delete(schedules).where(schedules.c.id == schedule.id))

    def due(self, now: float) -> list[Schedule]:
        """Return everybody's schedules that are to be looked at."""
        due = schedules.c.next_at <= now
        return self._rows(select(schedules).where(due).order_by(schedules.c.next_at))

    def take(self, schedule: Schedule, until: float) -> bool:
        """Take one's turn to look at a schedule, for some time; return whether nobody else did."""
        return self._change(schedule, schedules.c.next_at == schedule.next_at, next_at=until)

    def note(
        self, schedule: Schedule, next_at: float, *, error: str | None, is_whole: bool
    ) -> None:
        """Say how a look went, and when the next one is."""
        values: dict[str, Any] = {"next_at": next_at, "error": error and error[:1024]}
        if is_whole:
            values["looked_at"] = time.time()
        self._change(schedule, **values)

    def unseen(self, schedule: Schedule, files: Sequence[Found]) -> list[Found]:
        """Return which of some files have not become a job of this schedule."""
        digests = {digest_of(one): one for one in files}
        query = select(seen_files.c.file).where(
            seen_files.c.schedule_id == schedule.id, seen_files.c.file.in_(list(digests))
        )
        with self._database.begin() as connection:
            seen: Collection[str] = set(connection.scalars(query))
        return [one for digest, one in digests.items() if digest not in seen]

    def queue(self, schedule: Schedule, file: Found, row: Mapping[str, Any]) -> bool:
        """Make a job of a file, unless it was made before, or the schedule was deleted.

        Both rows stand or neither does, so it is made once whoever else does the same, and
        whatever ends this process.
        """
        seen = {"schedule_id": schedule.id, "file": digest_of(file)}
        try:
            with self._database.begin() as connection:
                connection.execute(insert(seen_files).values(seen))
                connection.execute(insert(jobs).values(dict(row)))
        except IntegrityError:
            return False
        return True

    def _rows(self, query: Select[Any]) -> list[Schedule]:
        with self._database.begin() as connection:
            return [Schedule.of(row) for row in connection.execute(query).mappings()]

    def _change(self, schedule: Schedule, *where: ColumnElement[bool], **values: object) -> bool:
        mine = schedules.c.id == schedule.id
        with self._database.begin() as connection:
            result = connection.execute(update(schedules).where(mine, *where).values(**values))
        return bool(result.rowcount)


def _of(owner: Owner) -> Select[Any]:
    mine = schedules.c.tenant == owner.tenant, schedules.c.purpose == owner.purpose
    return select(schedules).where(*mine)


def _no_cron(cron: str) -> InvalidRequest:
    return InvalidRequest(
        f"cron: {cron[:64]!r} is no time. Give minute, hour, day, month and day of the week, as in "
        "'0 3 * * *', which is 3:00 UTC each day."
    )

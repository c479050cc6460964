"""Which workers are alive: each says so again and again."""

import uuid

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import executors

_NAMES = "Another worker has the same name. Set RAPT_EXECUTOR_ID to one of its own for each."

log = structlog.get_logger()


class Executors:
    """The table of workers. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database, stale_seconds: float) -> None:
        """Take a worker for dead that has said nothing for so many seconds."""
        self._database = database
        self._stale_seconds = stale_seconds

    def alive(self) -> set[str]:
        """Return the ids of those alive."""
        since = Now() - self._stale_seconds
        query = select(executors.c.id).where(executors.c.heartbeat > since)
        with self._database.begin() as connection:
            return set(connection.scalars(query))

    def forget_dead(self) -> None:
        """Delete the rows of those that have said nothing for long."""
        before = Now() - 100 * self._stale_seconds
        with self._database.begin() as connection:
            connection.execute(delete(executors).where(executors.c.heartbeat < before))


class Heartbeat:
    """One worker's sign of life."""

    def __init__(self, database: Database, executor: str) -> None:
        """Speak for an executor, from this start of its process on."""
        self._database = database
        self._executor = executor
        self._boot = uuid.uuid4().hex
        self._has_said = False

    def beat(self) -> None:
        """Say that it is alive, and log if another process has its name: places are a machine's."""
        try:
            self._say()
        except IntegrityError:
            # Of two that begin at once, each may find no row; the next time there is one.
            log.warning("worker_name_taken", executor=self._executor, hint=_NAMES)

    def end(self) -> None:
        """Say that it has ended."""
        mine = executors.c.id == self._executor, executors.c.boot == self._boot
        with self._database.begin() as connection:
            connection.execute(delete(executors).where(*mine))

    def _say(self) -> None:
        said = {"boot": self._boot, "heartbeat": Now()}
        of_name = executors.c.id == self._executor
        with self._database.begin() as connection:
            mine = update(executors).where(of_name, executors.c.boot == self._boot)
            if connection.execute(mine.values(said)).rowcount:
                return
            if not connection.execute(update(executors).where(of_name).values(said)).rowcount:
                connection.execute(insert(executors).values(id=self._executor, **said))
            elif self._has_said:
                log.warning("worker_name_taken", executor=self._executor, hint=_NAMES)
        self._has_said = True

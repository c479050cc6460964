"""Which workers are alive: each says so again and again."""

import uuid

from sqlalchemy import delete, insert, select, update

from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import executors


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

    def beat(self) -> None:
        """Say that it is alive."""
        said = {"boot": self._boot, "heartbeat": Now()}
        with self._database.begin() as connection:
            mine = update(executors).where(executors.c.id == self._executor)
            if not connection.execute(mine.values(said)).rowcount:
                connection.execute(insert(executors).values(id=self._executor, **said))

    def end(self) -> None:
        """Say that it has ended."""
        mine = executors.c.id == self._executor, executors.c.boot == self._boot
        with self._database.begin() as connection:
            connection.execute(delete(executors).where(*mine))

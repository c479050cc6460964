"""Opens the database and brings its tables up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, text

from emotion.errors import InvalidRequest
from service.storage_errors import storage_errors

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30.0  # As long as another may write.
_TRUNCATE_SECONDS = 1.0  # Others wait meanwhile.


class Database:
    """A database that is open."""

    def __init__(self, url: str) -> None:
        """Prepare to connect, by an URL of SQLAlchemy's."""
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Run a transaction while the block runs.

        Raises:
            StorageFull: there is no room.
            StorageUnavailable: the database doesn't answer.
        """
        with storage_errors(), self._engine.begin() as connection:
            yield connection

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables up to date. To be called by one process at a time.

        Args:
            revision: whose tables are wanted; the newest, or an older one.

        Raises:
            InvalidRequest: they are of a later version than this one.
            StorageFull: see ``begin``.
            StorageUnavailable: likewise.
        """
        # Imported late: only who makes tables needs it.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util.exc import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self.begin() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, revision)
            except CommandError as error:
                raise InvalidRequest(
                    f"The tables of videos are not this version's: {error}. Run the Rapt that made "
                    "them, or a later one."
                ) from error

    def truncate_log(self) -> None:
        """Leave nothing of older rows in SQLite's log, where no one else is just reading it.

        See https://www.sqlite.org/pragma.html#pragma_wal_checkpoint. Where somebody is, a later
        call does it; other databases keep no such file of ours.

        Raises:
            StorageFull: see ``begin``.
            StorageUnavailable: likewise.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with self.begin() as connection:
            connection.execute(text(_busy_timeout(_TRUNCATE_SECONDS)))
            try:
                # That it was busy is an answer, not an error.
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            finally:
                connection.execute(text(_busy_timeout(_BUSY_SECONDS)))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3's, or a wrapper
    # A transaction that reads first and writes later would fail if another wrote in between.
    connection.isolation_level = "IMMEDIATE"
    connection.execute(_busy_timeout(_BUSY_SECONDS))
    connection.execute("PRAGMA foreign_keys=ON")
    # What is deleted is overwritten: it is personal.
    connection.execute("PRAGMA secure_delete=ON")
    # Readers don't wait for who writes, nor the other way round.
    connection.execute("PRAGMA journal_mode=WAL")


def _busy_timeout(seconds: float) -> str:
    return f"PRAGMA busy_timeout={seconds * 1000:.0f}"

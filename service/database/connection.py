"""Opens the database and brings its tables up to date."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, ProgrammingError

from emotion.errors import InvalidRequest
from service.database.clock import SQLITE_NOW
from service.database.obstacles import obstacle_in
from service.database.tables import installation
from service.storage_errors import storage_errors

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 30.0  # As long as another may write.
_TRUNCATE_SECONDS = 1.0  # Others wait meanwhile.
_MIGRATION_LOCK = 0x52617074  # "Rapt": whoever else uses the same database has another.
# Of PostgreSQL: a server that is gone without a word is noticed, and whoever hangs in the middle of
# a transaction keeps nobody waiting for long. See postgresql.org/docs/current/libpq-connect.html.
POSTGRES_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # Milliseconds.
    "client_encoding": "utf8",
}
_POSTGRES_SETTINGS = (
    "SET statement_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '30s'",
)
_POOL_SECONDS = 10.0  # Until a connection of the pool is free.


@dataclass(frozen=True, slots=True)
class Installation:
    """Whose rows these are.

    Attributes:
        id: drawn when the tables were made.
        place: where the objects lie that belong to them; None before there were any elsewhere.
    """

    id: str
    place: str | None


class Database:
    """A database that is open."""

    def __init__(self, url: str) -> None:
        """Prepare to connect.

        Args:
            url: SQLAlchemy's of a file of SQLite, or libpq's of a PostgreSQL.
        """
        self._engine = _sqlite(url) if url.startswith("sqlite:") else _postgres(url)

    def connect(self) -> None:
        """Try whether a server can be used, and say what stands in the way: for the start.

        Raises:
            InvalidRequest: there is none, it doesn't answer, refuses, or can't hold every name.
            StorageUnavailable: a file can't be opened.
        """
        is_server = self._engine.dialect.name == "postgresql"
        with storage_errors():
            try:
                with self._engine.connect() as connection:
                    obstacle = obstacle_in(connection) if is_server else None
            except DBAPIError as error:
                if not is_server:
                    raise
                raise InvalidRequest(
                    f"The database can't be used: {_reason(error)}. Check RAPT_DATABASE_URL."
                ) from error
        if obstacle is not None:
            raise InvalidRequest(f"The database can't be used: {obstacle}")

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
        """Bring the tables up to date.

        All of it stands afterwards, or nothing. Of a file, to be called by one process at a time; a
        server has others wait.

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
            if self._engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            else:
                # Of itself, the driver begins none before tables are changed, only before rows are.
                connection.execute(text("BEGIN IMMEDIATE"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, revision)
            except ProgrammingError as error:
                raise InvalidRequest(
                    f"The tables of jobs can't be brought up to date: {_reason(error)}. Run `rapt "
                    "migrate` as a role that may."
                ) from error
            except CommandError as error:
                raise InvalidRequest(
                    f"The tables of videos are not this version's: {error}. Run the Rapt that made "
                    "them, or a later one."
                ) from error

    def has_tables(self) -> bool:
        """Return whether there are any of ours.

        Raises:
            StorageUnavailable: see ``begin``.
        """
        with self.begin() as connection:
            return inspect(connection).has_table(installation.name)

    def installation(self) -> Installation:
        """Return whose rows these are, and where the objects lie that belong to them.

        Raises:
            StorageFull: see ``begin``.
            StorageUnavailable: likewise.
        """
        with self.begin() as connection:
            row = connection.execute(select(installation)).mappings().one()
        return Installation(row["id"], row["place"])

    def note_place(self, place: str) -> None:
        """Note where objects lie that belong to these rows.

        Raises:
            StorageFull: see ``begin``.
            StorageUnavailable: likewise.
        """
        with self.begin() as connection:
            connection.execute(update(installation).values(place=place))

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


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _postgres(url: str) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args=POSTGRES_CONNECTION,
        # Connections that a restart of the server has cut are noticed before they are used.
        pool_pre_ping=True,
        pool_timeout=_POOL_SECONDS,
        # Statements are logged where they fail, and what is in rows is personal.
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, _record: object) -> None:  # noqa: ANN401  # psycopg's
    for setting in _POSTGRES_SETTINGS:
        connection.execute(setting)
    # What is set in a transaction that is rolled back is set no more.
    connection.commit()


def _reason(error: DBAPIError) -> str:
    """Return what libpq says, without where it was asked and what it advises."""
    first = str(error.orig).partition("\n")[0]
    return first.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # sqlite3's, or a wrapper
    # A transaction that reads first and writes later would fail if another wrote in between.
    connection.isolation_level = "IMMEDIATE"
    connection.execute(_busy_timeout(_BUSY_SECONDS))
    connection.execute("PRAGMA foreign_keys=ON")
    # What is deleted is overwritten: it is personal.
    connection.execute("PRAGMA secure_delete=ON")
    # Readers don't wait for who writes, nor the other way round.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.create_function(SQLITE_NOW, 0, time.time)


def _busy_timeout(seconds: float) -> str:
    return f"PRAGMA busy_timeout={seconds * 1000:.0f}"

"""What tests see of the databases behind workers, and do to them."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine, MetaData, create_engine, make_url, select, text

from service.settings import Settings
from tests.service.jobs.workers import Worker


@contextmanager
def database_of_dbos(settings: Settings) -> Iterator[Engine]:
    url = make_url(settings.workflows_url)
    engine = create_engine(
        url.set(drivername="postgresql+psycopg") if settings.database_url else url
    )
    try:
        yield engine
    finally:
        engine.dispose()


def rows_of_dbos(settings: Settings, job_id: str) -> int:
    """How many rows of any table name a job."""
    tables = MetaData(schema="dbos" if settings.database_url else None)
    with database_of_dbos(settings) as engine, engine.connect() as connection:
        tables.reflect(connection)
        rows = [row for one in tables.tables.values() for row in connection.execute(select(one))]
    return sum(job_id in str(row) for row in rows)


def lose_rows_of_dbos(settings: Settings) -> None:
    """Have DBOS know nothing any more; no worker may run."""
    if settings.database_url:
        with database_of_dbos(settings) as engine, engine.begin() as connection:
            connection.execute(text("drop schema dbos cascade"))
    for file in settings.data_folder.path.glob("dbos.db*"):
        file.unlink()


def stop_between_writes(one: Worker, settings: Settings) -> None:
    """Stop a worker; in the middle of a write it would keep its locks, and all others wait."""
    while True:
        one.process.send_signal(signal.SIGSTOP)
        os.waitpid(one.process.pid, os.WUNTRACED)
        if not in_the_middle(settings):
            return
        one.process.send_signal(signal.SIGCONT)
        time.sleep(0.05)


def in_the_middle(settings: Settings) -> bool:
    """Whether anybody has a transaction open."""
    if settings.database_url:
        query = text(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and state like 'idle in transaction%'"
            # DBOS keeps one open as long as it runs.
            " and query not like 'SELECT pg_try_advisory_xact_lock%'"
        )
        with database_of_dbos(settings) as engine, engine.connect() as connection:
            return bool(connection.scalar(query))
    try:
        for name in ("rapt.db", "dbos.db"):
            path = settings.data_folder.path / name
            with closing(sqlite3.connect(path, timeout=0.1)) as file:
                file.execute("begin immediate")
    except sqlite3.OperationalError:
        return True
    return False

"""Where a study lives: SQLite on one machine, or PostgreSQL for several.

Optuna's storage keeps trials apart by itself; what it leaves open between processes (making the
tables, beginning a study, taking the next trial) is done under one lock: of a file beside the
SQLite file, or of the PostgreSQL server. Both end with the process that holds them.
"""

import fcntl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from training.errors import TuningError
from training.registry.tracking import without_credentials
from training.tuning.task import Pulse

_SQLITE = "sqlite:///"
_POSTGRES = "postgresql+psycopg://"
_POSTGRES_SPELLINGS = (_POSTGRES, "postgresql://", "postgres://")
_LOCK_SECONDS = 60
_CONNECT_SECONDS = 10
# Our number among a PostgreSQL server's advisory locks.
_LOCK_NUMBER = 0x52617074


def storage_url(given: str | None, home: Path) -> str:
    """Return a storage's address as SQLAlchemy spells it.

    Args:
        given: ``sqlite:///FILE``, ``postgresql://…``, or None for the SQLite file of ``home``.
        home: ``$RAPT_HOME``.

    Raises:
        TuningError: it is the address of something else.
    """
    if given is None:
        return f"{_SQLITE}{(home / 'tuning' / 'studies.db').absolute()}"
    if given.startswith(_SQLITE) and given != _SQLITE and not given.endswith(":memory:"):
        return given
    for spelling in _POSTGRES_SPELLINGS:
        if given.startswith(spelling):
            return _POSTGRES + given.removeprefix(spelling)
    raise TuningError(
        f"storage {without_credentials(given)}: give sqlite:///FILE or "
        "postgresql://USER@HOST/DATABASE"
    )


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turn what goes wrong between us and a storage into one line.

    Raises:
        TuningError: in place of any error of the database or of the way to it.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error if isinstance(error, SQLAlchemyError) else error.__cause__ or error
        reason = without_credentials(str(getattr(cause, "orig", cause))).partition("\n")[0]
        raise TuningError(
            f"storage {without_credentials(url)}: {reason}. Once it answers, the same command goes "
            "on with the study"
        ) from error


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Hold what only one process at a time may do with a storage; waits for its turn."""
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        with path.with_name(f"{path.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_SECONDS}
    )
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBER})
        yield


@contextmanager
def opened_storage(
    url: str, pulse: Pulse, when_stale: Callable[[Study, FrozenTrial], None]
) -> Iterator[RDBStorage]:
    """Open a storage, its tables made if absent, and close its connections afterwards.

    Args:
        url: from ``storage_url``; a SQLite file's folder is made.
        pulse: when a running trial counts as abandoned.
        when_stale: what to do with such a trial once it is marked as failed.

    Raises:
        TuningError: it doesn't answer, or its folder can't be made.
    """
    connect: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS}
    if url.startswith(_SQLITE):
        connect = {"timeout": _LOCK_SECONDS}
        try:
            Path(url.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TuningError(f"{error.filename}: {error.strerror}") from error
    # Optuna calls its signs of life experimental.
    with storage_errors(url), alone(url), warnings.catch_warnings(action="ignore"):
        storage = RDBStorage(
            url,
            {"connect_args": connect, "pool_pre_ping": True},
            heartbeat_interval=pulse.seconds,
            grace_period=pulse.grace,
            heartbeat_stale_trial_callback=when_stale,
        )
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()

"""Databases that MLflow may keep its runs in, asked before MLflow is.

MLflow alone tries for 100 s, makes whatever folder is missing, and lets its driver's errors out.
"""

import os
import re
from pathlib import Path

import sqlalchemy
from mlflow.store.db.db_types import DATABASE_ENGINES, MYSQL, POSTGRES, SQLITE

from training.errors import RegistryError
from training.home import home_folder

_CONNECT_SECONDS = 10
_CORRECT = "correct MLFLOW_TRACKING_URI, or unset it to use the SQLite file in RAPT_HOME"


def is_database(uri: str) -> bool:
    """Tell a database's address from a server's."""
    return re.split(r"[+:]", uri)[0] in DATABASE_ENGINES


def ask_database(uri: str) -> None:
    """See whether a database answers within 10 s; of a file, whether it may be written to.

    The folder of a file is made if it belongs into ``$RAPT_HOME``.

    Raises:
        RegistryError: the file has no folder, or can't be written to.
        sqlalchemy.exc.SQLAlchemyError: the database doesn't answer, or is none.
        ImportError: its driver is not installed.
    """
    url = sqlalchemy.make_url(uri)
    kind = url.get_backend_name()
    if kind == SQLITE:
        _require_file(url.database)
    has_own = kind not in (POSTGRES, MYSQL) or "connect_timeout" in url.query
    arguments = {} if has_own else {"connect_timeout": _CONNECT_SECONDS}
    engine = sqlalchemy.create_engine(
        url, connect_args=arguments, poolclass=sqlalchemy.pool.NullPool
    )
    with engine.connect() as connection:
        sqlalchemy.inspect(connection).has_table("experiments")


def _require_file(name: str | None) -> None:
    if name in (None, "", ":memory:"):
        raise RegistryError(
            f"MLFLOW_TRACKING_URI names no file: give sqlite:////PATH/mlflow.db, {_CORRECT}"
        )
    file = Path(str(name)).absolute()
    folder = file.parent
    if not folder.is_dir():
        _make(folder)
    for place in (folder, file):
        if place.exists() and not os.access(place, os.W_OK):
            raise RegistryError(f"{place} can't be written to: mend that, {_CORRECT}")


def _make(folder: Path) -> None:
    if not folder.is_relative_to(home_folder().absolute()):
        raise RegistryError(f"{folder}: there is no such folder. Make it, {_CORRECT}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegistryError(f"{error.filename}: {error.strerror}. Set RAPT_HOME") from error

"""Where the jobs of a test are kept: all in its data folder, or on real servers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from dbos._migration import ensure_dbos_schema, run_dbos_migrations
from obstore.store import from_url
from sqlalchemy import create_engine, make_url

from service.database.connection import Database
from service.settings import Settings
from service.storage.ownership import MARK
from tests.postgres_server import PostgresServer
from tests.s3_server import JOBS_BUCKET, S3Server

Where = Literal["local", "remote"]
# For what takes long: with PostgreSQL and S3 in the soak only.
REMOTE_IN_SOAK = pytest.mark.parametrize(
    "kept", ["local", pytest.param("remote", marks=pytest.mark.soak)], indirect=True
)
_TEMPLATE = "template_of_tests"


def make_template(postgres: PostgresServer) -> None:
    """Make the database that those of tests are copies of: DBOS takes seconds for its tables."""
    postgres.run(f"CREATE DATABASE {_TEMPLATE}")
    url = postgres.url(_TEMPLATE)
    database = Database(url)
    database.migrate()
    database.close()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    ensure_dbos_schema(engine, "dbos")
    run_dbos_migrations(engine, "dbos", use_listen_notify=False)
    engine.dispose()


@contextmanager
def kept_on(
    postgres: PostgresServer, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Have settings name a database and a prefix of their own while the block runs."""
    with postgres.database(_TEMPLATE) as database:
        monkeypatch.setenv("RAPT_DATABASE_URL", database)
        monkeypatch.setenv("RAPT_STORAGE_URL", f"s3://{JOBS_BUCKET}/{uuid.uuid4().hex}")
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        yield


def variables_of(settings: Settings) -> dict[str, str]:
    """What a process needs in its environment to keep jobs where settings say."""
    return {
        "RAPT_HOME": str(settings.home),
        "RAPT_DATABASE_URL": settings.database_url.get_secret_value(),
        "RAPT_STORAGE_URL": settings.storage_url,
    }


def keys_of(settings: Settings) -> list[str]:
    """The keys of all objects, in order."""
    if settings.bucket:
        store = from_url(settings.storage_url, client_options={"allow_http": True})
        keys = [each["path"] for page in store.list() for each in page]
    else:
        folder = settings.data_folder.objects
        keys = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return sorted(key for key in keys if key != MARK)


def objects_of(settings: Settings) -> list[str]:
    """The names of all objects, without what they lie under, in order."""
    return sorted(Path(key).name for key in keys_of(settings))

"""`rapt migrate`, on both kinds of database."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text

from service.command_line import main
from service.database.connection import Database
from service.database.tables import metadata
from service.jobs.workflow import migrate_workflows
from service.settings import Settings
from tests.postgres_server import PostgresServer

_PLAIN = "plain"  # A role that may read and write, and make nothing.


@pytest.fixture
def empty(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, which settings name."""
    with postgres.database() as url:
        monkeypatch.setenv("RAPT_DATABASE_URL", url)
        yield url


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def migrate() -> str:
    """Run the command; give what it says."""
    result = CliRunner().invoke(main, ["migrate"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_empty_database_gets_all_tables_and_a_second_time_changes_nothing(empty: str) -> None:
    assert migrate() == "The tables of jobs are up to date.\n"
    versions = ask(empty, "SELECT version FROM dbos.dbos_migrations")
    database = Database(empty)
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()
    assert migrate() == "The tables of jobs are up to date.\n"
    assert ask(empty, "SELECT version FROM dbos.dbos_migrations") == versions


def test_dbos_gets_no_triggers_as_nobody_listens(empty: str) -> None:
    migrate()
    assert ask(empty, "SELECT trigger_name FROM information_schema.triggers") == []


def test_after_it_nobody_needs_the_right_to_make_tables(
    empty: str, postgres: PostgresServer
) -> None:
    migrate()
    if (_PLAIN,) not in postgres.run("SELECT rolname FROM pg_roles"):
        postgres.run(f"CREATE ROLE {_PLAIN} LOGIN")
    for schema in ("public", "dbos"):
        ask(empty, f"GRANT USAGE ON SCHEMA {schema} TO {_PLAIN}")
        ask(
            empty,
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {_PLAIN}",
        )
    plain = make_url(empty).set(username=_PLAIN).render_as_string(hide_password=False)
    database = Database(plain)
    database.migrate()
    database.close()
    migrate_workflows(plain)


def test_the_data_folder_gets_its_tables_too() -> None:
    assert migrate() == "The tables of jobs are up to date.\n"
    folder = Settings().data_folder.path
    assert {"rapt.db", "dbos.db"} <= {file.name for file in folder.iterdir()}


def test_a_database_that_isnt_there_is_said(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPT_DATABASE_URL", postgres.url("nowhere"))
    result = CliRunner().invoke(main, ["migrate"])
    assert result.exit_code == 1
    assert result.stderr == (
        'Error: The database can\'t be used: database "nowhere" does not exist. '
        "Check RAPT_DATABASE_URL.\n"
    )

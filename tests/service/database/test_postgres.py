"""A real PostgreSQL."""

import threading
import time
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DataError

from emotion.errors import InvalidRequest
from service.database.clock import Now
from service.database.connection import Database
from service.database.tables import metadata
from service.storage_errors import StorageUnavailable
from tests.gate import Gate, gate_before
from tests.postgres_server import GUARDED, PASSWORD, PostgresServer, by_port


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """Of an empty database."""
    with postgres.database() as address:
        yield address


@pytest.fixture
def gate(postgres: PostgresServer) -> Iterator[Gate]:
    with gate_before(postgres.socket) as one:
        yield one


def why_not(url: str) -> str:
    """What the start says of a database."""
    database = Database(url)
    try:
        with pytest.raises(InvalidRequest) as told:
            database.connect()
    finally:
        database.close()
    return told.value.message


def test_migrations_make_the_tables_from_nothing(url: str) -> None:
    database = Database(url)
    database.migrate()
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_of_many_who_migrate_at_once_one_does_and_all_find_the_same(url: str) -> None:
    ids = []

    def migrate() -> None:
        database = Database(url)
        database.migrate()
        ids.append(database.installation().id)
        database.close()

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_the_time_is_the_databases_and_goes_on_within_a_transaction(url: str) -> None:
    database = Database(url)
    with database.begin() as connection:
        first = connection.scalar(select(Now()))
        time.sleep(0.05)
        second = connection.scalar(select(Now()))
        by_statement = connection.scalar(text("select extract(epoch from now())::float8"))
    database.close()
    assert isinstance(first, float)
    assert isinstance(second, float)
    assert second - first >= 0.05
    assert 0 <= first - by_statement < 10


def test_a_server_that_cut_all_connections_is_asked_again_at_once(url: str, gate: Gate) -> None:
    database = Database(by_port(url, gate.port))
    with database.begin() as connection:
        connection.execute(text("select 1"))
    gate.shut()
    with pytest.raises(StorageUnavailable, match=r"^The storage doesn't answer\."):
        database.installation()
    gate.open()
    database.migrate()
    database.close()


def test_whoever_hangs_in_the_middle_keeps_others_waiting_for_half_a_minute(url: str) -> None:
    database = Database(url)
    with database.begin() as connection:
        limits = [
            connection.scalar(text(f"show {name}"))
            for name in ("statement_timeout", "idle_in_transaction_session_timeout")
        ]
    database.close()
    assert limits == ["30s", "30s"]


def test_what_stands_in_the_way_at_the_start_is_said_in_a_sentence(
    postgres: PostgresServer, gate: Gate
) -> None:
    postgres.guard()
    wrong = {
        postgres.url("postgres", GUARDED, "guessed"): (
            f'password authentication failed for user "{GUARDED}"'
        ),
        postgres.url("nowhere"): 'database "nowhere" does not exist',
        "postgresql://me:guessed@127.0.0.1:1/rapt": "Connection refused",
        "postgresql://me:guessed@127.0.0.1:1/rapt?ssl=1": 'invalid connection option "ssl"',
    }
    said = {url: why_not(url) for url in wrong}
    assert said == {
        url: f"The database can't be used: {why}. Check RAPT_DATABASE_URL."
        for url, why in wrong.items()
    }


def test_a_host_that_has_no_address_is_said_in_a_sentence() -> None:
    said = why_not("postgresql://me:guessed@nowhere.invalid/rapt")
    # Why not is the resolver's to say: that nobody is called so, or that it can't tell now.
    assert said.startswith(
        "The database can't be used: failed to resolve host 'nowhere.invalid': [Errno "
    )
    assert said.endswith(". Check RAPT_DATABASE_URL.")


def test_a_database_that_cant_hold_every_letter_is_refused(postgres: PostgresServer) -> None:
    with postgres.database("template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'") as latin:
        assert why_not(latin) == (
            "The database can't be used: its encoding is LATIN1, and names may have any letter. "
            "Make one with ENCODING 'UTF8' TEMPLATE template0."
        )


def test_a_role_that_may_make_no_tables_is_told_so_before_there_are_any(
    postgres: PostgresServer,
) -> None:
    postgres.guard()
    with postgres.database() as url:
        guarded = make_url(url).set(username=GUARDED, password=PASSWORD)
        mine = guarded.render_as_string(hide_password=False)
        assert why_not(mine) == (
            "The database can't be used: it has no tables of jobs, and this role may make none. "
            "Grant it CREATE on the database and its schema, or run `rapt migrate` as a role that "
            "may."
        )
        database = Database(url)
        database.migrate()
        database.close()
        postgres.run(f"ALTER DATABASE {guarded.database} SET default_transaction_read_only = on")
        assert why_not(url) == (
            "The database can't be used: it can only be read (default_transaction_read_only, or a "
            "standby)."
        )


def test_text_is_utf8_whatever_the_server_would_have_clients_use(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        name = make_url(url).database
        postgres.run(f"ALTER DATABASE {name} SET client_encoding = 'LATIN1'")
        database = Database(url)
        with database.begin() as connection:
            assert connection.scalar(text("select cast(:name as text)"), {"name": "あ"}) == "あ"
        database.close()


def test_what_cant_be_stored_is_no_outage(url: str) -> None:
    database = Database(url)
    with pytest.raises(DataError), database.begin() as connection:
        connection.execute(text("select cast(:name as text)"), {"name": "a\0b"})
    database.close()


def test_the_right_password_is_taken(postgres: PostgresServer) -> None:
    postgres.guard()
    with postgres.database(owner=GUARDED) as url:
        database = Database(url)
        database.connect()
        database.close()
    assert PASSWORD in url
    assert PASSWORD not in repr(database)


def test_what_is_in_rows_is_in_no_error(url: str) -> None:
    database = Database(url)
    with pytest.raises(StorageUnavailable) as told, database.begin() as connection:
        connection.execute(text("select :name from nowhere"), {"name": "party.mp4"})
    database.close()
    assert "party.mp4" not in str(told.value.__cause__)

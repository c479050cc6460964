"""A real database in a file."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from emotion.errors import InvalidRequest
from service.database.connection import Database
from service.database.tables import metadata
from service.storage_errors import StorageUnavailable


def test_migrations_make_the_tables_from_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate()
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate()
    with database.begin() as connection:
        connection.execute(text("insert into executors values ('one', 'b', 1.0)"))
    database.migrate()
    with database.begin() as connection:
        assert connection.scalars(text("select id from executors")).all() == ["one"]
    database.close()


def test_a_migration_that_fails_in_the_middle_leaves_the_tables_as_they_were(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate("0003")
    with database.begin() as connection:
        # In the way of the fourth, which has added columns by then.
        connection.execute(text("create table turns (name text)"))
    with pytest.raises(StorageUnavailable):
        database.migrate()
    with database.begin() as connection:
        assert "priority" not in {one["name"] for one in inspect(connection).get_columns("jobs")}
        assert connection.scalar(text("select version_num from alembic_version")) == "0003"
        connection.execute(text("drop table turns"))
    database.migrate()
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_jobs_of_an_older_version_and_their_segments_stay(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate("0001")
    video = text(
        "insert into videos (id, tenant, purpose, state, created_at, settings, segments_done,"
        " worked_seconds, fence, attempts)"
        " values ('a', 'local', 'unspecified', 'running', 1.0, '{}', 1, 2.0, 1, 1)"
    )
    with database.begin() as connection:
        connection.execute(video)
        connection.execute(text("insert into segments values ('a', 0, 1, x'00')"))
    database.migrate()
    with database.begin() as connection:
        row = connection.execute(text("select id, kind, priority, queued_at, ticket from jobs"))
        assert row.all() == [("a", "video", "normal", 1.0, 0)]
        assert connection.execute(text("select job_id, number from segments")).all() == [("a", 0)]
    database.close()


def test_readers_dont_wait_for_who_writes(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate()
    with database.begin() as writer, database.begin() as reader:
        writer.execute(text("insert into executors values ('one', 'b', 1.0)"))
        assert reader.scalars(text("select id from executors")).all() == []
    database.close()


def test_a_database_that_cant_be_opened_is_told(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'rapt.db'}")
    with pytest.raises(StorageUnavailable, match=r"^The storage doesn't answer\."):
        database.migrate()
    database.close()


def test_tables_of_a_later_version_are_told(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate()
    with database.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(InvalidRequest, match=r"not this version's: .*'9999'.* or a later one\.$"):
        database.migrate()
    database.close()


def test_nothing_of_a_deleted_row_is_left_in_any_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate()
    for change in ("insert into executors values ('a secret', 'b', 1.0)", "delete from executors"):
        with database.begin() as connection:
            connection.execute(text(change))
        database.truncate_log()
    assert [path for path in tmp_path.iterdir() if b"a secret" in path.read_bytes()] == []
    database.close()


def test_a_log_that_somebody_reads_is_left_as_it_is(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'rapt.db'}")
    database.migrate()
    with database.begin() as reader, database.begin() as writer:
        reader.execute(text("begin"))
        reader.execute(text("select * from executors"))
        writer.execute(text("insert into executors values ('one', 'b', 1.0)"))
        writer.commit()
        database.truncate_log()
    assert (tmp_path / "rapt.db-wal").stat().st_size > 0
    database.truncate_log()
    assert (tmp_path / "rapt.db-wal").stat().st_size == 0
    database.close()

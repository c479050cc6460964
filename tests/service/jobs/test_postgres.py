"""The rows of jobs on a real PostgreSQL: nothing in them is SQLite's own."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from service.database.connection import Database
from service.database.tables import metadata
from service.jobs.claims import ClaimLost, Claims
from service.jobs.errors import JobConflict
from service.jobs.executors import Executors, Heartbeat
from service.jobs.job import LOCAL, Kind, State
from service.jobs.ledger import Ledger
from tests.postgres_server import postgres_server


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with postgres_server() as address:
        opened = Database(address.replace("postgresql://", "postgresql+psycopg://", 1))
        opened.migrate()
        yield opened
        opened.close()


def test_migrations_make_the_same_tables(database: Database) -> None:
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_job_goes_its_whole_way(database: Database) -> None:
    ledger, claims = Ledger(database), Claims(database, "worker-1")
    for job_id in ("a", "b"):
        job = ledger.reserve(
            LOCAL,
            Kind.VIDEO,
            id=job_id,
            name="ä.mp4",
            settings={"interval": 0.5},
            idempotency_key=job_id,
        )
        ledger.received(job, 5 * 2**30, "ab" * 32)
    with pytest.raises(JobConflict):
        ledger.reserve(LOCAL, Kind.VIDEO, id="c", name=None, settings={}, idempotency_key="a")
    first, second = claims.claim("a"), claims.claim("a")
    claims.plan(second, 1)
    with pytest.raises(ClaimLost):
        claims.store(first, 0, b"late", 1.0)
    claims.store(second, 0, b"zero", 1.0)
    assert claims.payloads(second) == [b"zero"]
    claims.finish(second)
    done, queued = ledger.get(LOCAL, Kind.VIDEO, "a"), ledger.get(LOCAL, Kind.VIDEO, "b")
    assert (done.state, done.report_fence, done.size) == (State.DONE, 2, 5 * 2**30)
    assert ledger.page(LOCAL, Kind.VIDEO, 1, (queued.created_at, "b")) == [done]
    assert ledger.counts()[State.QUEUED] == 1
    ledger.mark_deleting(done)
    ledger.forget(done)
    assert ledger.in_states(list(State), 10) == [queued]


def test_workers_say_that_they_are_alive(database: Database) -> None:
    heartbeat = Heartbeat(database, "worker-1")
    heartbeat.beat()
    heartbeat.beat()
    assert Executors(database, stale_seconds=60).alive() == {"worker-1"}
    heartbeat.end()
    assert Executors(database, stale_seconds=60).alive() == set()

"""The query that workers are scaled on, asked of a real PostgreSQL with real rows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, text

from k8s.checks.manifests import Rendered
from service.database.connection import Database
from service.database.tables import jobs
from service.jobs.job import State
from tests.postgres_server import running_postgres

SETTINGS = {"interval": 0.5, "segment_seconds": 20.0}


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with running_postgres() as server, server.database() as url:
        opened = Database(url)
        opened.migrate()
        yield opened
        opened.close()


@pytest.fixture
def query(production: Rendered) -> str:
    (scaler,) = [one for one in production.of("ScaledObject") if one.name == "rapt-worker"]
    found: str = scaler.spec["triggers"][0]["metadata"]["query"]
    return found


def seconds(database: Database, query: str, *rows: dict[str, object]) -> object:
    """What the query says where there are these jobs."""
    always = {"tenant": "local", "purpose": "none", "created_at": 0.0, "settings": SETTINGS}
    with database.begin() as connection:
        connection.execute(jobs.delete())
        for number, row in enumerate(rows):
            connection.execute(insert(jobs).values({"id": str(number), **always, **row}))
        return connection.execute(text(query)).scalar_one()


def test_where_nothing_waits_it_is_zero(database: Database, query: str) -> None:
    done = {"state": State.DONE, "segments_total": 4, "segments_done": 0}
    assert seconds(database, query) == 0
    assert seconds(database, query, done, {"state": State.RECEIVING, "size": 10**9}) == 0


def test_of_what_is_in_work_segments_that_are_left_count(database: Database, query: str) -> None:
    video = {"state": State.RUNNING, "segments_total": 10, "segments_done": 4}
    photos = {"state": State.QUEUED, "kind": "photos", "segments_total": 5, "segments_done": 0}
    assert seconds(database, query, video) == 120
    assert seconds(database, query, video, photos) == 130


def test_before_its_length_is_known_a_videos_size_counts(database: Database, query: str) -> None:
    sent = {"state": State.QUEUED, "size": 62_500_000}
    assert seconds(database, query, sent) == 100
    assert seconds(database, query, sent, {"state": State.QUEUED, "uri": "s3://in/a.mp4"}) == 160

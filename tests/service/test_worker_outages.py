"""Workers whose database or bucket is away for a while: real servers, behind gates."""

import time
from collections.abc import Iterator

import pytest

from service.jobs.job import State
from service.settings import Settings
from tests.gate import Gate, gate_before
from tests.postgres_server import GUARDED, PASSWORD, PostgresServer, by_port
from tests.s3_server import S3Server
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import Office, office, until, worker

pytestmark = pytest.mark.parametrize("kept", ["remote"], indirect=True)


@pytest.fixture
def desk(kept: str) -> Iterator[Office]:
    with office(Settings(worker_stale_seconds=2.0)) as one:
        yield one


@pytest.fixture
def bucket_gate(s3: S3Server) -> Iterator[Gate]:
    with gate_before(s3.port) as gate:
        yield gate


@pytest.fixture
def database_gate(postgres: PostgresServer) -> Iterator[Gate]:
    with gate_before(postgres.socket) as gate:
        yield gate


def test_a_bucket_that_is_away_for_a_while_is_asked_again(desk: Office, bucket_gate: Gate) -> None:
    endpoint = f"http://127.0.0.1:{bucket_gate.port}"
    video_id = desk.send(fake_video(segments=12, seconds=0.5))
    with worker(Settings(), AWS_ENDPOINT_URL=endpoint, RAPT_STORAGE_TRIES="6") as one:
        until(lambda: desk.get(video_id).segments_done >= 1)
        bucket_gate.shut()
        until(lambda: one.wrote("storage_failed"))
        bucket_gate.open()
        assert desk.wait(video_id, State.DONE).fence == 1


def test_a_bucket_that_is_away_for_long_fails_the_video_with_a_reason(
    desk: Office, bucket_gate: Gate
) -> None:
    endpoint = f"http://127.0.0.1:{bucket_gate.port}"
    with worker(Settings(), AWS_ENDPOINT_URL=endpoint, RAPT_STORAGE_TRIES="2") as one:
        until(lambda: one.wrote("worker_started"))
        bucket_gate.shut()
        failed = desk.wait(desk.send(fake_video()), State.FAILED)
        bucket_gate.open()
        desk.wait(desk.send(fake_video()), State.DONE)
    assert failed.error == "The storage didn't answer for too long. Send it again later."


def test_a_database_that_is_away_for_a_while_is_asked_again(
    desk: Office, database_gate: Gate
) -> None:
    settings = Settings()
    url = by_port(settings.database_url.get_secret_value(), database_gate.port)
    video_id = desk.send(fake_video(segments=4, seconds=0.5))
    with worker(settings, RAPT_DATABASE_URL=url, RAPT_STORAGE_TRIES="6") as one:
        until(lambda: desk.get(video_id).segments_done >= 1)
        database_gate.shut()
        until(lambda: one.wrote('"chore": "heartbeat"') and one.wrote('"chore": "take_up"'))
        time.sleep(3.0)
        database_gate.open()
        desk.wait(video_id, State.DONE)
        assert one.process.poll() is None
        desk.wait(desk.send(fake_video()), State.DONE)


def test_a_role_that_has_its_database_and_no_more_is_enough_and_its_password_is_in_no_line(
    kept: str,
    postgres: PostgresServer,
    database_gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    postgres.guard()
    with postgres.database(owner=GUARDED) as url:
        monkeypatch.setenv("RAPT_DATABASE_URL", by_port(url, database_gate.port))
        settings = Settings()
        with office(settings) as desk, worker(settings, RAPT_STORAGE_TRIES="9") as one:
            video_id = desk.send(fake_video(segments=4, seconds=0.5))
            until(lambda: desk.get(video_id).segments_done >= 1)
            database_gate.shut()
            until(lambda: one.wrote('"chore": "heartbeat"'))
            database_gate.open()
            until(lambda: one.wrote("job_done"))
    assert [line for line in one.lines if PASSWORD in line] == []

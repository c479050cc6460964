"""A database or a bucket that is away: real servers, behind gates."""

import asyncio
import socket
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from service.jobs.opener import DeskOpener
from service.settings import Settings
from tests.gate import Gate, gate_before
from tests.postgres_server import GUARDED, PostgresServer, by_port
from tests.s3_server import S3Server
from tests.service.http.client import client_of, problem, started_plane
from tests.service.http.video_client import MP4, VIDEO, send
from tests.service.jobs.workers import until

pytestmark = pytest.mark.parametrize("kept", ["remote"], indirect=True)


@pytest.fixture
def database_gate(
    kept: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gate]:
    with gate_before(postgres.socket) as gate:
        url = Settings().database_url.get_secret_value()
        monkeypatch.setenv("RAPT_DATABASE_URL", by_port(url, gate.port))
        yield gate


@pytest.fixture
def bucket_gate(kept: str, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    with gate_before(s3.port) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{gate.port}")
        yield gate


async def test_while_the_database_is_away_videos_are_503_and_then_go_on(
    database_gate: Gate,
) -> None:
    async with client_of(started_plane(Settings())) as client:
        place = await send(client)
        database_gate.shut()
        for request in (
            client.post("/v1/videos", content=VIDEO, headers=MP4),
            client.get("/v1/videos"),
            client.get(place),
            client.post(f"{place}:cancel"),
            client.delete(place),
        ):
            response = await request
            problem(response, 503, "storage-unavailable")
            assert response.headers["retry-after"] == "10"
        ready = await client.get("/readyz")
        database_gate.open()
        assert (await client.get(place)).json()["state"] == "queued"
        await send(client)
    assert ready.status_code == 200
    assert ready.json()["jobs"]["detail"] == "The storage doesn't answer. Try again shortly."


async def test_while_the_bucket_is_away_a_video_is_503_and_then_accepted(bucket_gate: Gate) -> None:
    async with client_of(started_plane(Settings())) as client:
        await send(client)
        bucket_gate.shut()
        response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
        problem(response, 503, "storage-unavailable")
        assert response.headers["retry-after"] == "10"
        bucket_gate.open()
        await send(client)


async def test_a_front_that_starts_while_the_database_is_away_goes_on_when_it_is_there(
    database_gate: Gate,
) -> None:
    database_gate.shut()
    async with client_of(started_plane(Settings())) as client:
        response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
        detail = problem(response, 503, "storage-unavailable")["detail"]
        database_gate.open()
        async with asyncio.timeout(60):
            while response.status_code == 503:
                await asyncio.sleep(0.1)  # as a caller who tries again
                response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
    assert response.status_code == 202
    assert detail == ("Jobs can't be kept: the service's storage can't be used. Its log says why.")


async def test_readiness_does_not_wait_for_a_database_that_says_nothing(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.health._STATE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/rapt"
        async with client_of(started_plane(Settings(database_url=SecretStr(url)))) as client:
            ready: httpx.Response = await client.get("/readyz")
            metrics = await client.get("/metrics")
    assert ready.status_code == metrics.status_code == 200
    assert ready.json()["jobs"]["detail"].startswith("How it stands is not known: the storage")


def test_a_front_says_at_its_start_what_is_wrong(kept: str, postgres: PostgresServer) -> None:
    postgres.guard()
    url = SecretStr(postgres.url("postgres", GUARDED, "guessed"))
    opener = DeskOpener(Settings(database_url=url))
    with capture_logs() as logged:
        opener.try_at_start()
        until(lambda: bool(logged), 60)
    opener.close()
    assert logged == [
        {
            "event": "videos_refused",
            "log_level": "warning",
            "why": "The database can't be used: password authentication failed for user "
            f'"{GUARDED}". Check RAPT_DATABASE_URL.',
        }
    ]

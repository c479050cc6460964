"""Idempotency-Key: what is sent again is one job."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import update

from service.database.tables import jobs
from service.jobs.job import LOCAL, Kind
from service.jobs.opened import opened_folder
from service.settings import Settings
from tests.service.http.client import problem
from tests.service.http.video_client import MP4, VIDEO, send
from tests.service.jobs.fake_analyses import fake_video
from tests.service.kept import objects_of

pytestmark = pytest.mark.usefixtures("kept")


async def test_one_key_and_one_video_are_one_job(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    assert await send(client, key="monday") == await send(client, key="monday")
    assert await send(client) != await send(client, key="monday")
    assert len(objects_of(settings)) == 2


@pytest.mark.parametrize(
    ("content", "interval"), [(fake_video(segments=4), "0.5"), (VIDEO, "1.0"), (VIDEO[:700], "0.5")]
)
async def test_a_key_of_another_video_or_other_settings_is_422(
    client: httpx.AsyncClient, content: bytes, interval: str
) -> None:
    await send(client, VIDEO + b" " * 100, key="monday")
    response = await client.post(
        f"/v1/videos?interval={interval}",
        content=content,
        headers={**MP4, "idempotency-key": "monday"},
    )
    problem(response, 422, "invalid-request")


async def test_a_key_whose_video_is_still_arriving_is_409(client: httpx.AsyncClient) -> None:
    arriving, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield VIDEO
        arriving.set()
        await go_on.wait()

    headers = {**MP4, "idempotency-key": "monday"}
    first = asyncio.create_task(client.post("/v1/videos", content=slow(), headers=headers))
    await arriving.wait()
    await asyncio.sleep(0.1)
    problem(await client.post("/v1/videos", content=VIDEO, headers=headers), 409, "job-conflict")
    go_on.set()
    assert (await first).headers["location"] == await send(client, key="monday")


async def test_the_key_of_an_upload_whose_front_was_killed_is_free(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    digest = hashlib.sha256(b"monday").hexdigest()
    with opened_folder(settings) as folder:
        left = folder.ledger.reserve(
            LOCAL, Kind.VIDEO, id="a", name=None, settings={}, idempotency_key=digest
        )
        folder.store.write(left.source, b"part")
        with folder.database.begin() as connection:
            connection.execute(update(jobs).values(arriving_at=0.0))
    await send(client, key="monday")
    assert len((await client.get("/v1/videos")).json()["videos"]) == 1
    assert objects_of(settings) == ["source"]


async def test_after_a_failed_upload_its_key_is_free(client: httpx.AsyncClient) -> None:
    headers = {**MP4, "idempotency-key": "monday"}
    assert (await client.post("/v1/videos", content=b"text", headers=headers)).status_code == 415
    await send(client, key="monday")

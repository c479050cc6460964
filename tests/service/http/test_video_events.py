"""Server-sent events, read as they come."""

import asyncio
import json

import httpx
import pytest

from service.settings import Settings
from tests.service.http.client import client_of, problem, started_plane
from tests.service.http.video_client import begin, send

pytestmark = pytest.mark.usefixtures("kept")


async def test_events_tell_of_progress_and_of_the_end(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = await send(client)
    response = asyncio.create_task(client.get(f"{place}/events", headers={"last-event-id": "7"}))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(begin, settings, place)
    await asyncio.sleep(3)  # A follower looks every half second, later where the machine is busy.
    await client.post(f"{place}:cancel")
    events = read_events((await response).text)
    assert (await response).headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [name for name, _ in events] == ["progress", "progress", "cancelled"]
    assert [body["progress"] for _, body in events] == [0.0, 0.5, 0.5]
    assert [body["state"] for _, body in events] == ["queued", "running", "cancelled"]


async def test_events_of_a_video_that_is_deleted_end_with_that(client: httpx.AsyncClient) -> None:
    place = await send(client)
    response = asyncio.create_task(client.get(f"{place}/events"))
    await asyncio.sleep(0.3)
    await client.delete(place)
    assert [name for name, _ in read_events((await response).text)] == ["progress", "deleted"]


async def test_more_followers_than_the_limit_are_503() -> None:
    settings = Settings(max_event_streams=1, min_free_bytes=0)
    async with client_of(started_plane(settings)) as client:
        place = await send(client)
        first = asyncio.create_task(client.get(f"{place}/events"))
        await asyncio.sleep(0.3)
        problem(await client.get(f"{place}/events"), 503, "overloaded")
        await client.post(f"{place}:cancel")
        await first
        assert (await client.get(f"{place}/events")).status_code == 200


async def test_followers_are_let_go_when_the_end_is_told() -> None:
    plane = started_plane(Settings(min_free_bytes=0))
    async with client_of(plane) as client:
        place = await send(client)
        following = asyncio.create_task(client.get(f"{place}/events"))
        await asyncio.sleep(0.3)
        plane.ending.tell()
        events = read_events((await asyncio.wait_for(following, 5)).text)
        assert [name for name, _ in events] == ["progress"]


async def test_one_who_waits_long_hears_that_the_line_stands(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.job_events._QUIET_SECONDS", 0.0)
    place = await send(client)
    response = asyncio.create_task(client.get(f"{place}/events"))
    await asyncio.sleep(1.3)
    await client.post(f"{place}:cancel")
    assert "\n\n: still there\n\n" in (await response).text


def read_events(text: str) -> list[tuple[str, dict[str, object]]]:
    """Names and data of server-sent events."""
    blocks = [dict(line.split(": ", 1) for line in one.splitlines()) for one in text.split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]

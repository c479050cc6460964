"""Server-sent events of a real server, read as they come."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from service.data_plane import DataPlane
from service.settings import Settings
from tests.service.http.client import problem, started_plane
from tests.service.http.served_front import served
from tests.service.http.video_client import begin, send

pytestmark = pytest.mark.usefixtures("kept")

Event = tuple[str, dict[str, Any]]


@asynccontextmanager
async def client_of(plane: DataPlane) -> AsyncIterator[httpx.AsyncClient]:
    """Unlike one without a server, it has an event before the last was sent."""
    async with served(plane) as port:
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
            yield client


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(started_plane(settings)) as one:
        yield one


async def events_in(response: httpx.Response) -> AsyncIterator[Event]:
    """Names and data of server-sent events; comments are passed over."""
    block: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, separator, value = line.partition(": ")
        if name and separator:
            block[name] = value
        elif block:
            yield block["event"], json.loads(block["data"])
            block = {}


async def rest_of(events: AsyncIterator[Event]) -> list[Event]:
    return [one async for one in events]


async def test_events_tell_of_progress_and_of_the_end(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = await send(client)
    headers = {"last-event-id": "7"}
    async with client.stream("GET", f"{place}/events", headers=headers) as response:
        events = events_in(response)
        seen = [await anext(events)]
        await asyncio.to_thread(begin, settings, place)
        running = await anext(events)
        while running[1]["progress"] == 0.0:  # Looked at before the segment was done.
            running = await anext(events)
        await client.post(f"{place}:cancel")
        seen += [running, *await rest_of(events)]
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [(name, body["state"], body["progress"]) for name, body in seen] == [
        ("progress", "queued", 0.0),
        ("progress", "running", 0.5),
        ("cancelled", "cancelled", 0.5),
    ]


async def test_events_of_a_video_that_is_deleted_end_with_that(client: httpx.AsyncClient) -> None:
    place = await send(client)
    async with client.stream("GET", f"{place}/events") as response:
        events = events_in(response)
        first, _ = await anext(events)
        await client.delete(place)
        assert [first, *[name for name, _ in await rest_of(events)]] == ["progress", "deleted"]


async def test_more_followers_than_the_limit_are_503() -> None:
    settings = Settings(max_event_streams=1, min_free_bytes=0)
    async with client_of(started_plane(settings)) as client:
        place = await send(client)
        async with client.stream("GET", f"{place}/events") as response:
            events = events_in(response)
            await anext(events)
            problem(await client.get(f"{place}/events"), 503, "overloaded")
            await client.post(f"{place}:cancel")
            await rest_of(events)
        assert (await client.get(f"{place}/events")).status_code == 200


async def test_followers_are_let_go_when_the_end_is_told() -> None:
    plane = started_plane(Settings(min_free_bytes=0))
    async with client_of(plane) as client:
        place = await send(client)
        async with client.stream("GET", f"{place}/events") as response:
            events = events_in(response)
            first, _ = await anext(events)
            plane.ending.tell()
            assert [first, *await rest_of(events)] == ["progress"]


async def test_one_who_waits_long_hears_that_the_line_stands(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.job_events._QUIET_SECONDS", 0.0)
    place = await send(client)
    async with client.stream("GET", f"{place}/events") as response:
        lines = response.aiter_lines()
        while await anext(lines):  # An event ends with an empty line.
            pass
        assert [await anext(lines), await anext(lines)] == [": still there", ""]
        await client.post(f"{place}:cancel")
        assert "event: cancelled" in [line async for line in lines]

"""POST /v1/videos with made-up ones: real rows and objects, and no worker."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from service.settings import Settings
from tests.service.http.client import MULTIPART, client_of, form, problem, started_plane
from tests.service.http.video_client import MP4, VIDEO, send
from tests.service.jobs.fake_analyses import fake_video
from tests.service.kept import objects_of

pytestmark = pytest.mark.usefixtures("kept")


async def test_a_video_is_accepted_and_waits(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/videos?interval=0.2", content=VIDEO, headers=MP4)
    assert response.status_code == 202
    body = response.json()
    place = f"/v1/videos/{body['id']}"
    assert re.fullmatch(r"[0-9a-f]{32}", body["id"])
    assert response.headers["location"] == place
    assert (body["state"], body["progress"], body["seconds_left"]) == ("queued", 0.0, None)
    assert body["settings"] == {"interval": 0.2, "segment_seconds": 30.0, "min_score": 0.6}
    assert (body["size"], body["sha256"]) == (len(VIDEO), hashlib.sha256(VIDEO).hexdigest())
    assert body["detail"].startswith("No worker is running; the video waits for one.")
    assert body["links"] == {
        "self": place,
        "events": f"{place}/events",
        "report": f"{place}/report",
    }
    assert (await client.get(place)).json() == body


async def test_a_form_is_taken_as_raw_bytes_are_and_names_the_video(
    client: httpx.AsyncClient,
) -> None:
    headers = {"content-type": MULTIPART}
    content = form(("video", "party.mp4", VIDEO))
    body = (await client.post("/v1/videos", content=content, headers=headers)).json()
    assert (body["name"], body["sha256"]) == ("party.mp4", hashlib.sha256(VIDEO).hexdigest())


async def test_a_form_may_arrive_a_byte_at_a_time(client: httpx.AsyncClient) -> None:
    async def bytes_of(content: bytes) -> AsyncIterator[bytes]:
        for position in range(len(content)):
            yield content[position : position + 1]

    headers = {"content-type": MULTIPART}
    content = bytes_of(form(("video", "party.mp4", VIDEO)))
    body = (await client.post("/v1/videos", content=content, headers=headers)).json()
    assert (body["name"], body["sha256"]) == ("party.mp4", hashlib.sha256(VIDEO).hexdigest())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (form(("photo", "a.jpg", VIDEO)), "It has another field."),
        (form(("video", None, VIDEO)), "It has another field."),
        (form(("video", "a", VIDEO), ("video", "b", VIDEO)), "It has another field."),
        (form(("video", "a", VIDEO))[:-20], "It ends in the middle."),
        (form(), "It ends before there is one."),
        (b"no form at all", "It can't be read: "),
        (form(("video", "a", VIDEO)) + b"\r\n" * 40_000, "It has more than 65,536 bytes"),
    ],
)
async def test_another_form_is_422_and_leaves_nothing(
    client: httpx.AsyncClient, settings: Settings, content: bytes, why: str
) -> None:
    response = await client.post("/v1/videos", content=content, headers={"content-type": MULTIPART})
    assert why in problem(response, 422, "invalid-request")["detail"]
    assert objects_of(settings) == []
    assert (await client.get("/v1/videos")).json()["videos"] == []


@pytest.mark.parametrize(
    ("content", "headers", "status", "kind"),
    [
        (b"", MP4, 400, "undecodable-video"),
        (b"text named .mp4", MP4, 415, "unsupported-video"),
        (b"#EXTM3U\n" + b"http://127.0.0.1/a.ts\n" * 100, MP4, 415, "unsupported-video"),
        (VIDEO, {"content-type": "text/plain"}, 415, "unsupported-video"),
        (VIDEO, {**MP4, "content-encoding": "gzip"}, 415, "unsupported-video"),
        (VIDEO, {**MP4, "idempotency-key": "k" * 256}, 422, "invalid-request"),
        (VIDEO, {"content-type": "multipart/form-data"}, 422, "invalid-request"),
        (VIDEO, {"content-type": f"{MULTIPART}{'x' * 257}"}, 422, "invalid-request"),
    ],
)
async def test_what_is_no_video_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient,
    settings: Settings,
    content: bytes,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    problem(await client.post("/v1/videos", content=content, headers=headers), status, kind)
    assert objects_of(settings) == []
    assert (await client.get("/v1/videos")).json()["videos"] == []


@pytest.mark.parametrize(
    ("query", "priority"), [("", "normal"), ("?priority=high", "high"), ("?priority=low", "low")]
)
async def test_a_video_has_the_priority_that_is_asked_for(
    client: httpx.AsyncClient, query: str, priority: str
) -> None:
    body = (await client.post(f"/v1/videos{query}", content=VIDEO, headers=MP4)).json()
    assert (body["priority"], (await client.get(body["links"]["self"])).json()) == (priority, body)


@pytest.mark.parametrize("priority", ["urgent", "", "HIGH", "%00"])
async def test_another_priority_is_422(client: httpx.AsyncClient, priority: str) -> None:
    response = await client.post(f"/v1/videos?priority={priority}", content=VIDEO, headers=MP4)
    detail = problem(response, 422, "invalid-request")["detail"]
    assert detail.startswith("priority: ")
    assert detail.endswith(" is none of high, normal, low.")


@pytest.mark.parametrize("interval", ["0.01", "61", "nan", "often"])
async def test_an_interval_out_of_range_is_422(client: httpx.AsyncClient, interval: str) -> None:
    response = await client.post(f"/v1/videos?interval={interval}", content=VIDEO, headers=MP4)
    assert problem(response, 422, "invalid-request")["detail"].startswith("interval: ")


@pytest.mark.parametrize("query", ["intervall=1", "interval=1&interval=2", "foo", "=1"])
async def test_what_cant_be_set_or_is_set_twice_is_422(
    client: httpx.AsyncClient, query: str
) -> None:
    response = await client.post(f"/v1/videos?{query}", content=VIDEO, headers=MP4)
    problem(response, 422, "invalid-request")


@pytest.mark.parametrize("announced", [True, False])
async def test_too_many_bytes_are_413_and_leave_nothing(*, announced: bool) -> None:
    settings = Settings(max_video_bytes=1000, min_free_bytes=0)
    content = fake_video(padding=1000)

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    async with client_of(started_plane(settings)) as client:
        body = content if announced else pieces()
        response = await client.post("/v1/videos", content=body, headers=MP4)
    assert "1,000 bytes" in problem(response, 413, "video-too-large")["detail"]
    assert objects_of(settings) == []


async def test_an_upload_that_is_cancelled_leaves_nothing(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    arriving = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield VIDEO
        arriving.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(client.post("/v1/videos", content=stuck(), headers=MP4))
    await arriving.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert objects_of(settings) == []
    assert (await client.get("/v1/videos")).json()["videos"] == []


@pytest.mark.parametrize("limit", ["upload_seconds", "upload_idle_seconds"])
async def test_what_takes_too_long_to_arrive_is_504_and_leaves_nothing(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.http.lingering._SECONDS", 0.1)
    settings = Settings(min_free_bytes=0).model_copy(update={limit: 0.2})

    async def stuck() -> AsyncIterator[bytes]:
        yield VIDEO
        await asyncio.Event().wait()

    async with client_of(started_plane(settings)) as client:
        response = await client.post("/v1/videos", content=stuck(), headers=MP4)
        problem(response, 504, "deadline-exceeded")
        assert (await client.get("/v1/videos")).json()["videos"] == []
    assert objects_of(settings) == []


async def test_the_same_video_again_that_takes_too_long_is_504_and_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.http.lingering._SECONDS", 0.1)
    settings = Settings(upload_seconds=0.5, max_uploads=1, min_free_bytes=0)

    async def stuck() -> AsyncIterator[bytes]:
        yield VIDEO
        await asyncio.Event().wait()

    async with client_of(started_plane(settings)) as client:
        place = await send(client, key="monday")
        headers = {**MP4, "idempotency-key": "monday"}
        async with asyncio.timeout(10):
            response = await client.post("/v1/videos", content=stuck(), headers=headers)
        problem(response, 504, "deadline-exceeded")
        assert await send(client, key="monday") == place


@pytest.mark.parametrize("kept", ["local"], indirect=True)
async def test_where_too_little_room_is_left_a_video_is_507() -> None:
    async with client_of(started_plane(Settings(min_free_bytes=2**60))) as client:
        response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
    problem(response, 507, "storage-full")
    assert response.headers["retry-after"] == "300"


@pytest.mark.parametrize("kept", ["local"], indirect=True)
async def test_a_video_that_is_announced_too_large_is_413_whatever_room_is_left() -> None:
    settings = Settings(max_video_bytes=1000, min_free_bytes=2**60)
    async with client_of(started_plane(settings)) as client:
        response = await client.post("/v1/videos", content=VIDEO + b" " * 1000, headers=MP4)
    problem(response, 413, "video-too-large")
    assert "retry-after" not in response.headers


async def test_beyond_the_most_that_wait_a_video_is_503() -> None:
    async with client_of(started_plane(Settings(max_jobs=1, min_free_bytes=0))) as client:
        await send(client)
        response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
    problem(response, 503, "overloaded")
    assert response.headers["retry-after"] == "30"


async def test_beyond_the_most_that_arrive_a_video_is_503() -> None:
    arriving, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield VIDEO
        arriving.set()
        await go_on.wait()

    async with client_of(started_plane(Settings(max_uploads=1, min_free_bytes=0))) as client:
        first = asyncio.create_task(client.post("/v1/videos", content=slow(), headers=MP4))
        await arriving.wait()
        response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
        problem(response, 503, "overloaded")
        go_on.set()
        assert (await first).status_code == 202


async def test_a_folder_that_cant_be_used_is_503(settings: Settings) -> None:
    settings.data_folder.path.parent.mkdir(parents=True)
    async with client_of(started_plane(settings)) as client:
        settings.data_folder.path.write_bytes(b"a file is in the way")
        response = await client.post("/v1/videos", content=VIDEO, headers=MP4)
        problem(response, 503, "storage-unavailable")
        settings.data_folder.path.unlink()
        await send(client)

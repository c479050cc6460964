"""/v1/photo-sets with real rows and objects, and no worker. Its routes are those of videos."""

import hashlib
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.emotion.photo_set.zips import write_zip
from tests.service.http.client import MULTIPART, client_of, form, problem, started_plane
from tests.service.http.video_client import finish, send
from tests.service.kept import objects_of

ZIP = {"content-type": "application/zip"}


@pytest.fixture
def photos(tmp_path: Path) -> bytes:
    return write_zip(tmp_path / "a.zip", {"a.jpg": b"a", "b.jpg": b"b"}).read_bytes()


async def test_a_zip_is_accepted_and_waits(client: httpx.AsyncClient, photos: bytes) -> None:
    response = await client.post("/v1/photo-sets", content=photos, headers=ZIP)
    assert response.status_code == 202
    body = response.json()
    place = f"/v1/photo-sets/{body['id']}"
    assert response.headers["location"] == place
    assert (body["kind"], body["state"]) == ("photos", "queued")
    assert (body["size"], body["sha256"]) == (len(photos), hashlib.sha256(photos).hexdigest())
    assert body["settings"] == {"segment_photos": 24}
    assert body["detail"].startswith("No worker is running; the set of photos waits for one.")
    assert body["links"]["report"] == f"{place}/report"
    assert (await client.get(place)).json() == body


async def test_a_form_names_the_set(client: httpx.AsyncClient, photos: bytes) -> None:
    content = form(("photos", "party.zip", photos))
    headers = {"content-type": MULTIPART}
    body = (await client.post("/v1/photo-sets", content=content, headers=headers)).json()
    assert (body["name"], body["size"]) == ("party.zip", len(photos))


@pytest.mark.parametrize(
    ("content", "headers", "status", "kind"),
    [
        (b"", ZIP, 400, "undecodable-photo-set"),
        (b"text named .zip", ZIP, 415, "unsupported-photo-set"),
        (b"PK\x03\x04", {"content-type": "image/jpeg"}, 415, "unsupported-photo-set"),
        (b"PK\x03\x04", {**ZIP, "content-encoding": "gzip"}, 415, "unsupported-photo-set"),
        (b"PK\x03\x04", {"content-type": f"{MULTIPART}{'x' * 257}"}, 422, "invalid-request"),
    ],
)
async def test_what_is_no_zip_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient,
    settings: Settings,
    content: bytes,
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    problem(await client.post("/v1/photo-sets", content=content, headers=headers), status, kind)
    assert objects_of(settings) == []
    assert (await client.get("/v1/photo-sets")).json()["photo_sets"] == []


async def test_too_many_bytes_are_413_and_leave_nothing(photos: bytes) -> None:
    settings = Settings(max_set_bytes=len(photos) - 1, min_free_bytes=0)
    async with client_of(started_plane(settings)) as client:
        response = await client.post("/v1/photo-sets", content=photos, headers=ZIP)
    problem(response, 413, "photo-set-too-large")
    assert objects_of(settings) == []


async def test_photos_by_uri_may_lie_below_a_prefix() -> None:
    settings = Settings(min_free_bytes=0, sources="s3://clips/in/")
    async with client_of(started_plane(settings)) as client:
        body = (await client.post("/v1/photo-sets", json={"uri": "s3://clips/in/party/"})).json()
        assert (body["uri"], body["name"]) == ("s3://clips/in/party/", "party")
        response = await client.post("/v1/videos", json={"uri": "s3://clips/in/party/"})
        assert "names no object" in problem(response, 422, "invalid-request")["detail"]


async def test_videos_and_sets_of_photos_are_told_apart(
    client: httpx.AsyncClient, photos: bytes
) -> None:
    video = await send(client)
    response = await client.post("/v1/photo-sets", content=photos, headers=ZIP)
    photo_set = response.headers["location"]
    for place in (video, photo_set):
        other = "videos" if "photo-sets" in place else "photo-sets"
        problem(await client.get(f"/v1/{other}/{place.rpartition('/')[2]}"), 404, "unknown-job")
    listed = (await client.get("/v1/photo-sets")).json()["photo_sets"]
    assert [one["id"] for one in listed] == [photo_set.rpartition("/")[2]]
    assert len((await client.get("/v1/videos")).json()["videos"]) == 1


async def test_a_key_of_a_video_is_none_of_a_set(client: httpx.AsyncClient, photos: bytes) -> None:
    await send(client, key="monday")
    headers = {**ZIP, "idempotency-key": "monday"}
    response = await client.post("/v1/photo-sets", content=photos, headers=headers)
    problem(response, 422, "invalid-request")


async def test_a_set_is_followed_reported_cancelled_and_deleted(
    client: httpx.AsyncClient, settings: Settings, photos: bytes
) -> None:
    places = [
        (await client.post("/v1/photo-sets", content=photos, headers=ZIP)).headers["location"]
        for _ in range(2)
    ]
    finish(settings, places[0], html=b"<p>")
    report = await client.get(f"{places[0]}/report?format=html")
    assert (report.status_code, report.content) == (200, b"<p>")
    assert (await client.post(f"{places[1]}:cancel")).json()["state"] == "cancelled"
    assert "event: cancelled" in (await client.get(f"{places[1]}/events")).text
    for place in places:
        assert (await client.delete(place)).status_code == 204
    assert objects_of(settings) == []


async def test_a_set_has_no_interval(client: httpx.AsyncClient, photos: bytes) -> None:
    response = await client.post("/v1/photo-sets?interval=9", content=photos, headers=ZIP)
    assert "'interval' is none of" in problem(response, 422, "invalid-request")["detail"]

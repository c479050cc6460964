"""POST /v1/videos with a URI: nothing is read before the work begins."""

import httpx
import pytest

from service.jobs.job import LOCAL, Kind
from service.jobs.opened import opened_folder
from service.settings import Settings
from tests.service.http.client import client_of, problem, started_plane
from tests.service.http.video_client import send
from tests.service.kept import objects_of

URI = "s3://clips/in/party.mp4"


@pytest.fixture
def settings() -> Settings:
    return Settings(min_free_bytes=0, max_jobs=3, sources="s3://clips/in/, gs://films/")


async def test_a_uri_below_a_source_is_a_job_that_waits(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    response = await client.post("/v1/videos?interval=0.2", json={"uri": URI})
    assert response.status_code == 202
    body = response.json()
    assert (body["kind"], body["state"], body["uri"]) == ("video", "queued", URI)
    assert (body["name"], body["size"], body["settings"]["interval"]) == ("party.mp4", None, 0.2)
    assert response.headers["location"] == f"/v1/videos/{body['id']}"
    assert (await client.get(response.headers["location"])).json() == body
    assert objects_of(settings) == []


async def test_what_is_named_by_a_uri_waits_from_then_on(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = (await client.post("/v1/videos", json={"uri": URI})).headers["location"]
    with opened_folder(settings) as folder:
        job = folder.ledger.get(LOCAL, Kind.VIDEO, place.rpartition("/")[2])
    assert job.queued_at == pytest.approx(job.created_at, abs=1.0)


async def test_a_name_may_be_given(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/videos", json={"uri": "gs://films/a", "name": "Par\0ty"})
    assert response.json()["name"] == "Party"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"uri": "s3://clips/other.mp4"}', "is not below any prefix that may be read here"),
        (b'{"uri": "s3://clips/in/../other.mp4"}', "no plain path"),
        (b'{"uri": "http://127.0.0.1/in/a.mp4"}', "is none that can be read"),
        (b'{"uri": "file:///etc/passwd"}', "is none that can be read"),
        (b'{"uri": 7}', "uri: Input should be a valid string."),
        (b"{}", "uri: Field required."),
        (b'{"uri": "s3://clips/in/a.mp4", "url": "x"}', "url: Extra inputs are not permitted."),
        (b"text", "The body: Invalid JSON"),
        (b" " * 70_000, "The JSON has more than the 65,536 bytes accepted."),
    ],
)
async def test_what_may_not_be_read_is_422(
    client: httpx.AsyncClient, body: bytes, why: str
) -> None:
    headers = {"content-type": "application/json"}
    response = await client.post("/v1/videos", content=body, headers=headers)
    assert why in problem(response, 422, "invalid-request")["detail"]
    assert (await client.get("/v1/videos")).json()["videos"] == []


async def test_where_no_source_is_set_no_uri_is_read() -> None:
    async with client_of(started_plane(Settings(min_free_bytes=0))) as client:
        problem(await client.post("/v1/videos", json={"uri": URI}), 422, "invalid-request")


async def test_one_key_and_one_uri_are_one_job(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "monday"}
    places = [
        (await client.post("/v1/videos", json={"uri": URI}, headers=headers)).headers["location"]
        for _ in range(2)
    ]
    assert places[0] == places[1]


async def test_a_key_stays_good_when_the_service_is_set_otherwise() -> None:
    headers = {"idempotency-key": "monday"}
    places = []
    for segment_seconds in (30.0, 5.0):
        settings = Settings(
            min_free_bytes=0, sources="s3://clips/in/", segment_seconds=segment_seconds
        )
        async with client_of(started_plane(settings)) as client:
            sent = await client.post("/v1/videos", json={"uri": URI}, headers=headers)
            places.append((sent.headers["location"], await send(client, key="tuesday")))
    assert places[0] == places[1]


@pytest.mark.parametrize(("query", "uri"), [("?interval=1", URI), ("", "gs://films/a.mp4")])
async def test_a_key_of_something_else_is_422(
    client: httpx.AsyncClient, query: str, uri: str
) -> None:
    headers = {"idempotency-key": "monday"}
    await client.post("/v1/videos", json={"uri": URI}, headers=headers)
    response = await client.post(f"/v1/videos{query}", json={"uri": uri}, headers=headers)
    problem(response, 422, "invalid-request")


async def test_a_key_of_an_upload_is_none_of_a_uri(client: httpx.AsyncClient) -> None:
    await send(client, key="monday")
    headers = {"idempotency-key": "monday"}
    response = await client.post("/v1/videos", json={"uri": URI}, headers=headers)
    problem(response, 422, "invalid-request")


async def test_beyond_the_most_that_wait_a_uri_is_503(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await client.post("/v1/videos", json={"uri": URI})).status_code == 202
    problem(await client.post("/v1/videos", json={"uri": URI}), 503, "overloaded")


async def test_where_a_deleted_job_lay_is_forgotten(client: httpx.AsyncClient) -> None:
    place = (await client.post("/v1/videos", json={"uri": URI})).headers["location"]
    assert (await client.delete(place)).status_code == 204
    problem(await client.get(place), 404, "unknown-job")

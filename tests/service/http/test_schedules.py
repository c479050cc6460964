"""/v1/schedules with real rows, and no worker."""

import httpx
import pytest

from service.settings import Settings
from tests.service.http.client import problem

NIGHTLY = {"prefix": "s3://clips/in/", "kind": "video", "cron": "0 3 * * *"}


@pytest.fixture
def settings() -> Settings:
    return Settings(min_free_bytes=0, sources="s3://clips/in/")


async def test_a_schedule_is_made_told_listed_and_deleted(client: httpx.AsyncClient) -> None:
    asked = {**NIGHTLY, "settings": {"interval": 0.2}}
    response = await client.post("/v1/schedules", json=asked)
    assert response.status_code == 201
    body = response.json()
    assert {name: body[name] for name in asked} == asked
    assert (body["looked_at"], body["detail"]) == (None, None)
    assert body["next_at"].endswith("T03:00:00Z")
    place = response.headers["location"]
    assert place == f"/v1/schedules/{body['id']}"
    assert (await client.get(place)).json() == body
    assert (await client.get("/v1/schedules")).json() == {"schedules": [body]}
    assert (await client.delete(place)).status_code == 204
    assert (await client.get("/v1/schedules")).json() == {"schedules": []}
    for answer in (await client.get(place), await client.delete(place)):
        problem(answer, 404, "unknown-schedule")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"prefix": "s3://clips/"}, "is not below any prefix that may be read here"),
        ({"prefix": "s3://clips/in/a.mp4"}, "does not end in a slash"),
        ({"cron": "at night"}, "is no time"),
        ({"kind": "song"}, "kind: Input should be 'video' or 'photos'."),
        ({"settings": {"interval": 99}}, "interval: 99 is not between"),
        ({"every": 5}, "every: Extra inputs are not permitted."),
    ],
)
async def test_what_cant_be_looked_at_is_422(
    client: httpx.AsyncClient, change: dict[str, object], why: str
) -> None:
    response = await client.post("/v1/schedules", json={**NIGHTLY, **change})
    assert why in problem(response, 422, "invalid-request")["detail"]
    assert (await client.get("/v1/schedules")).json() == {"schedules": []}


async def test_beyond_a_hundred_schedules_another_is_422(client: httpx.AsyncClient) -> None:
    for _ in range(100):
        assert (await client.post("/v1/schedules", json=NIGHTLY)).status_code == 201
    problem(await client.post("/v1/schedules", json=NIGHTLY), 422, "invalid-request")

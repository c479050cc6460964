"""The webhook of a video: which is taken, and that it is told of the video's end."""

import httpx
import pytest
from pydantic import SecretStr

from service.jobs.opened import opened_folder
from service.jobs.promises import Channel, count_due
from service.settings import Settings
from tests.service.http.client import client_of, problem, started_plane
from tests.service.http.video_client import MP4, VIDEO, finish
from tests.webhook_server import SECRET

HOOK = "https://example.com/hook"


@pytest.fixture
def settings() -> Settings:
    return Settings(min_free_bytes=0, webhook_secret=SecretStr(SECRET))


async def send(client: httpx.AsyncClient, *webhooks: str) -> httpx.Response:
    return await client.post("/v1/videos", params={"webhook": webhooks}, content=VIDEO, headers=MP4)


def due(settings: Settings) -> int:
    with opened_folder(settings) as folder:
        return count_due(folder.database)[Channel.WEBHOOK]


async def test_a_webhook_is_due_when_its_video_has_ended(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    response = await send(client, HOOK)
    assert response.status_code == 202
    assert due(settings) == 0
    finish(settings, response.headers["location"])
    assert due(settings) == 1
    metrics = (await client.get("/metrics")).text
    assert '\nrapt_deliveries_waiting{channel="webhook"} 1.0\n' in metrics
    assert '\nrapt_deliveries_waiting{channel="kafka"} 0.0\n' in metrics


async def test_a_video_that_is_deleted_is_not_told_of(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    place = (await send(client, HOOK)).headers["location"]
    finish(settings, place)
    await client.delete(place)
    assert due(settings) == 0


@pytest.mark.parametrize(
    ("webhooks", "why"),
    [
        (["http://example.com/"], "must be a whole URL that begins with https://"),
        (["https://127.0.0.1/"], "not a public address"),
        (["https://169.254.169.254/"], "not a public address"),
        ([""], "must be a whole URL"),
        ([HOOK, HOOK], "give it once"),
    ],
)
async def test_another_webhook_is_422_and_nothing_is_kept(
    client: httpx.AsyncClient, webhooks: list[str], why: str
) -> None:
    detail = problem(await send(client, *webhooks), 422, "invalid-request")["detail"]
    assert why in detail
    assert (await client.get("/v1/videos")).json()["videos"] == []


async def test_without_a_secret_a_webhook_is_422_that_says_so() -> None:
    async with client_of(started_plane(Settings(min_free_bytes=0))) as client:
        detail = problem(await send(client, HOOK), 422, "invalid-request")["detail"]
    assert "RAPT_WEBHOOK_SECRET" in detail

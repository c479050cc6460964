"""Real worker processes tell a real server of the ends of jobs."""

import json
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from service.jobs.job import LOCAL, Kind, State
from service.jobs.promises import count_due
from service.settings import Settings
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import Office, office, until, worker
from tests.service.kept import REMOTE_IN_SOAK, Where
from tests.webhook_server import SECRET, WebhookServer, webhook_server

VARIABLES = {
    "RAPT_WEBHOOK_SECRET": SECRET,
    "RAPT_WEBHOOK_INSECURE": "true",
    "RAPT_WEBHOOK_NETWORKS": "127.0.0.0/8",
}


@pytest.fixture
def settings(kept: Where) -> Settings:
    # Where two run at once, a machine that stands still for seconds makes neither a dead one.
    return Settings(worker_stale_seconds=6.0, min_free_bytes=0)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Office]:
    with office(settings) as one:
        yield one


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    with webhook_server() as one:
        yield one


def events_of(server: WebhookServer) -> list[tuple[str, str]]:
    bodies = [json.loads(one.body) for one in server.received]
    return [(body["type"], body["data"]["id"]) for body in bodies]


def test_a_webhook_is_told_once_of_each_end(
    settings: Settings, desk: Office, server: WebhookServer
) -> None:
    url = f"http://127.0.0.1:{server.port}/hook"
    done = desk.send(fake_video(), webhook=url)
    failed = desk.send(fake_video(fails_at=0), webhook=url)
    cancelled = desk.send(fake_video(), webhook=url)
    desk.desk.cancel(LOCAL, Kind.VIDEO, cancelled)
    with worker(settings, **VARIABLES), worker(settings, **VARIABLES):
        until(lambda: len(server.received) == 3)
        desk.wait(done, State.DONE)
        until(lambda: sum(count_due(desk.folder.database).values()) == 0)
    assert sorted(events_of(server)) == [
        ("job.cancelled", cancelled),
        ("job.completed", done),
        ("job.failed", failed),
    ]
    for one in server.received:
        Webhook(SECRET).verify(one.body, one.headers)


@REMOTE_IN_SOAK
def test_what_no_worker_could_tell_is_told_by_the_next(
    settings: Settings, desk: Office, server: WebhookServer
) -> None:
    video_id = desk.send(fake_video(), webhook=f"http://127.0.0.1:{server.port}/")
    with worker(settings):
        desk.wait(video_id, State.DONE)
    assert server.received == []
    with worker(settings, **VARIABLES):
        until(lambda: events_of(server) == [("job.completed", video_id)])


def test_a_worker_that_is_not_allowed_there_sends_nothing(
    settings: Settings, desk: Office, server: WebhookServer
) -> None:
    video_id = desk.send(fake_video(), webhook=f"http://127.0.0.1:{server.port}/")
    variables = {**VARIABLES, "RAPT_WEBHOOK_NETWORKS": ""}
    with worker(settings, **variables) as one:
        until(lambda: one.wrote("delivery_failed"))
    assert any("not a public address" in line for line in one.lines)
    assert not any(str(server.port) in line for line in one.lines)
    assert desk.get(video_id).state is State.DONE
    assert server.received == []

"""All of it, from a bucket to a message and a webhook; only what a video shows is made up."""

import json

import pytest

from service.jobs.job import LOCAL, Kind
from service.settings import Settings
from tests.kafka_server import KafkaServer
from tests.service.inbox import Inbox
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import office, until, worker
from tests.service.kept import Where
from tests.webhook_server import SECRET, webhook_server


@pytest.fixture
def settings(kept: Where, inbox: Inbox) -> Settings:
    return Settings(worker_stale_seconds=2.0, min_free_bytes=0, sources=inbox.uri(""))


def test_a_message_about_an_object_ends_in_a_report_a_message_and_a_webhook(
    settings: Settings, inbox: Inbox, kafka: KafkaServer
) -> None:
    inbox.put("party.mp4", fake_video())
    variables = {
        "RAPT_SOURCES": inbox.uri(""),
        "RAPT_WEBHOOK_SECRET": SECRET,
        "RAPT_WEBHOOK_INSECURE": "true",
        "RAPT_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    with (
        office(settings) as desk,
        webhook_server() as server,
        worker(settings, "service.kafka", **kafka.environment, **variables),
        worker(settings, **variables),
    ):
        message = {
            "id": "order-7",
            "kind": "video",
            "uri": inbox.uri("party.mp4"),
            "webhook": f"http://127.0.0.1:{server.port}/",
        }
        missing = {"id": "order-8", "kind": "video", "uri": inbox.uri("none.mp4")}
        kafka.send(json.dumps(message).encode(), json.dumps(missing).encode())
        (failed,) = kafka.read("rapt.jobs.failed", 1)
        (completed,) = kafka.read("rapt.jobs.completed", 1)
        told = json.loads(completed.value() or b"")
        job_id = told["data"]["id"]
        until(lambda: len(server.received) == 1)
        report = desk.desk.report(LOCAL, Kind.VIDEO, job_id, "csv")
    assert report.startswith(f"csv of {job_id}".encode())
    assert told["request"] == "order-7"
    assert json.loads(failed.value() or b"")["data"]["error"].startswith("There is no s3://")
    (received,) = server.received
    assert json.loads(received.body)["data"] == told["data"]

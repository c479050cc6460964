import json

import pytest

from emotion.errors import InvalidRequest
from service.jobs.job import Kind, Priority, State
from service.jobs.requests import JobRequest
from service.kafka.messages import JobEnded, JobRequested, topic_of
from tests.service.delivery.jobs import ended_job

URI = "s3://inbox/party.mp4"


def test_a_message_asks_as_any_transport_does() -> None:
    message = {
        "id": "order-7",
        "kind": "video",
        "uri": URI,
        "name": "party.mp4",
        "settings": {"interval": 2},
        "priority": "high",
        "webhook": "https://example.com/",
    }
    assert JobRequested.of(json.dumps(message).encode()).job_request() == JobRequest(
        kind=Kind.VIDEO,
        uri=URI,
        name="party.mp4",
        settings={"interval": 2.0},
        key="order-7",
        priority=Priority.HIGH,
        webhook="https://example.com/",
    )


def test_what_may_be_left_out_is_left_to_the_service() -> None:
    message = {"id": "1", "kind": "video", "uri": URI}
    assert JobRequested.of(json.dumps(message).encode()).job_request() == JobRequest(
        Kind.VIDEO, URI, key="1"
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "The message is empty."),
        (b"", "The message: Invalid JSON"),
        (b"\xff\xfe", "The message: Invalid JSON"),
        (b"[]", "The message: Input should be an object"),
        (b"{}", "id: Field required."),
        (b'{"id": "", "kind": "video", "uri": "s3://a/b"}', "id: String should have at least 1"),
        (b'{"id": "a\\u0000b", "kind": "video", "uri": "s3://a/b"}', "id: String should match"),
        (b'{"id": 1, "kind": "video", "uri": "s3://a/b"}', "id: Input should be a valid string."),
        (b'{"id": "1", "kind": "film", "uri": "s3://a/b"}', "kind: Input should be "),
        (b'{"id": "1", "kind": "video"}', "uri: Field required."),
        (b'{"id": "1", "kind": "video", "uri": "s3://a/b", "url": 1}', "url: Extra inputs"),
        (
            b'{"id": "1", "kind": "video", "uri": "s3://a/b", "settings": {"interval": 0}}',
            "settings.interval: Input should be greater than or equal to 0.04.",
        ),
        (
            b'{"id": "1", "kind": "video", "uri": "s3://a/b", "priority": "urgent"}',
            "priority: Input should be ",
        ),
        (b'"' + b"a" * 65_536 + b'"', "The message has more than the 65,536 bytes accepted."),
    ],
)
def test_anything_else_is_refused_in_a_sentence(value: bytes | None, why: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        JobRequested.of(value)
    assert raised.value.message.startswith(why)


def test_who_asked_is_told_what_became_of_it() -> None:
    job = ended_job(State.FAILED, "It is damaged.")
    told = json.loads(JobEnded.answer("order-7", job).model_dump_json())
    assert (told["request"], told["type"], told["data"]["error"]) == (
        "order-7",
        "job.failed",
        "It is damaged.",
    )


@pytest.mark.parametrize(
    ("state", "topic"),
    [
        (State.DONE, "rapt.jobs.completed"),
        (State.FAILED, "rapt.jobs.failed"),
        (State.CANCELLED, "rapt.jobs.failed"),
    ],
)
def test_each_end_has_its_topic(state: State, topic: str) -> None:
    assert topic_of(ended_job(state)) == topic

"""A real process between a real broker and real rows; who works on jobs is this test."""

import json
import signal
import threading
from collections.abc import Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import pytest
from confluent_kafka import Message
from structlog.testing import capture_logs

from service.jobs.brokers import Brokers
from service.jobs.claims import Claims
from service.jobs.errors import JobConflict
from service.jobs.job import LOCAL, Job, Kind, Owner, State
from service.jobs.promises import count_due
from service.jobs.requests import JobRequest
from service.kafka.bridge import Bridge
from service.settings import Settings
from tests.kafka_server import SESSION, KafkaServer, reader_of
from tests.service.jobs.workers import Office, Worker, office, until, worker
from tests.service.kept import REMOTE_IN_SOAK, Where

BRIDGE = "service.kafka"
COMPLETED, FAILED = "rapt.jobs.completed", "rapt.jobs.failed"
DEAD_LETTERS = "rapt.jobs.requested.dead-letters"


# Where what is tried has nothing to do with where jobs are kept.
IN_A_FOLDER = pytest.mark.parametrize("kept", ["local"], indirect=True)


@pytest.fixture
def settings(kept: Where) -> Settings:
    return Settings(worker_stale_seconds=2.0, min_free_bytes=0)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Office]:
    with office(settings) as one:
        yield one


@pytest.fixture
def bridge(settings: Settings, kafka: KafkaServer) -> Iterator[Worker]:
    with run_bridge(settings, kafka) as one:
        yield one


class Conflicting:
    """Takes no job in: an upload of its key is arriving."""

    def request(self, owner: Owner, request: JobRequest) -> Job:  # noqa: ARG002  # whatever it is
        raise JobConflict("It is being received.")


def events(logged: Sequence[MutableMapping[str, Any]]) -> list[str]:
    return [one["event"] for one in logged]


def run_bridge(
    settings: Settings, kafka: KafkaServer, **more: str
) -> AbstractContextManager[Worker]:
    variables = {**kafka.environment, "RAPT_SOURCES": "s3://inbox/", **more}
    return worker(settings, BRIDGE, **variables)


def request(name: str, **more: object) -> bytes:
    message = {"id": name, "kind": "video", "uri": f"s3://inbox/{name}.mp4", **more}
    return json.dumps(message).encode()


def jobs_of(desk: Office) -> list[str]:
    return [job.uri or "" for job in desk.desk.page(LOCAL, Kind.VIDEO, 100, None)]


def finish(desk: Office, most: int = 100) -> None:
    """Do as a worker does that is done with the newest jobs."""
    claims = Claims(desk.folder.database, "worker-1")
    for job in desk.desk.page(LOCAL, Kind.VIDEO, most, None):
        if job.state is State.QUEUED:
            claims.finish(claims.claim(job.id))


def told(messages: list[Message]) -> list[tuple[str, str]]:
    events = [json.loads(message.value() or b"") for message in messages]
    return [(event["request"], event["type"]) for event in events]


def test_a_request_becomes_a_job_and_its_end_is_told(
    kafka: KafkaServer, desk: Office, bridge: Worker
) -> None:
    kafka.send(request("one", settings={"interval": 2.0}), request("two"), request("three"))
    until(lambda: len(jobs_of(desk)) == 3)
    three, two, one = desk.desk.page(LOCAL, Kind.VIDEO, 10, None)
    assert (one.uri, one.settings["interval"]) == ("s3://inbox/one.mp4", 2.0)
    claims = Claims(desk.folder.database, "worker-1")
    claims.finish(claims.claim(one.id))
    claims.fail(claims.claim(two.id), "It is damaged.")
    desk.desk.cancel(LOCAL, Kind.VIDEO, three.id)
    assert told(kafka.read(COMPLETED, 1)) == [("one", "job.completed")]
    assert told(kafka.read(FAILED, 2)) == [("two", "job.failed"), ("three", "job.cancelled")]
    until(lambda: count_due(desk.folder.database)["kafka"] == 0)


def test_a_message_sent_twice_makes_one_job_and_is_answered_again(
    kafka: KafkaServer, desk: Office, bridge: Worker
) -> None:
    kafka.send(request("one"), request("one"), request("two"))
    until(lambda: len(jobs_of(desk)) == 2)
    finish(desk)
    kafka.read(COMPLETED, 2)
    kafka.send(request("one"))
    assert told(kafka.read(COMPLETED, 1)) == [("one", "job.completed")]
    assert len(jobs_of(desk)) == 2


def test_what_is_malformed_too_large_or_refused_is_a_dead_letter_and_holds_nothing_up(
    kafka: KafkaServer, desk: Office, bridge: Worker
) -> None:
    kafka.send(
        b"{",
        b"a" * 2_000_000,
        request("one", uri="s3://elsewhere/one.mp4"),
        request("one", webhook="https://example.com/"),
        None,
        request("good"),
    )
    letters = kafka.read(DEAD_LETTERS, 5)
    until(lambda: jobs_of(desk) == ["s3://inbox/good.mp4"])
    reasons = [str(dict(letter.headers() or [])["rapt-reason"]) for letter in letters]
    for reason, why in zip(
        reasons,
        ("Invalid JSON", "65,536 bytes", "RAPT_SOURCES", "RAPT_WEBHOOK_SECRET", "empty"),
        strict=True,
    ):
        assert why in reason
    assert [letter.key() for letter in letters] == [b"key"] * 5
    assert letters[0].value() == b"{"


@REMOTE_IN_SOAK
def test_a_consumer_that_is_killed_misses_nothing(
    kafka: KafkaServer, desk: Office, bridge: Worker
) -> None:
    kafka.send(*(request(f"{number}") for number in range(6)))
    until(lambda: len(jobs_of(desk)) == 6)
    finish(desk, 3)
    with reader_of(kafka, COMPLETED, "readers") as reader:
        assert reader.stdout is not None
        read = list(islice(reader.stdout, 2))
        reader.kill()
        # It may have been faster than this test.
        read.extend(reader.stdout)
    finish(desk)
    with reader_of(kafka, COMPLETED, "readers") as reader:
        assert reader.stdout is not None
        # One that wasn't committed when its reader was killed comes a second time.
        while len(set(read)) < 6:
            read.append(next(reader.stdout))
    assert {json.loads(line)["request"] for line in read} == {f"{number}" for number in range(6)}


@REMOTE_IN_SOAK
def test_a_bridge_that_is_killed_loses_nothing_and_doubles_nothing(
    settings: Settings, kafka: KafkaServer, desk: Office
) -> None:
    for burst in range(2):
        with run_bridge(settings, kafka) as one:
            kafka.send(*(request(f"{burst}-{number}") for number in range(20)))
            until(lambda burst=burst: len(jobs_of(desk)) > 20 * burst)  # type: ignore[misc]
            one.process.kill()
    with run_bridge(settings, kafka):
        until(lambda: len(jobs_of(desk)) >= 40)
        finish(desk)
        found = told(kafka.read(COMPLETED, 40))
    assert len(jobs_of(desk)) == 40
    assert {name for name, _ in found} == {f"{b}-{n}" for b in range(2) for n in range(20)}


def test_a_full_queue_puts_requests_off_and_loses_none(
    settings: Settings, kafka: KafkaServer, desk: Office
) -> None:
    with run_bridge(settings, kafka, RAPT_MAX_JOBS="1") as one:
        kafka.send(request("one"), request("two"))
        until(lambda: one.wrote("message_put_off"))
        assert jobs_of(desk) == ["s3://inbox/one.mp4"]
        finish(desk)
        until(lambda: len(jobs_of(desk)) == 2)


@IN_A_FOLDER
def test_a_dead_letter_that_is_not_taken_after_a_conflict_is_tried_again(
    settings: Settings, kafka: KafkaServer, desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.kafka.bridge._CONFLICT_SECONDS", 0.0)
    # Of what is sent from here only: a letter is larger.
    options = {**SESSION, "message.max.bytes": "1000"}
    told = {"kafka_servers": kafka.servers, "kafka_options": options}
    bridge = Bridge(desk.folder, Conflicting(), settings.model_copy(update=told))
    ending = threading.Event()
    kafka.send(request("a" * 250, uri="s3://inbox/" + "c" * 1000))
    with capture_logs() as logged, ThreadPoolExecutor(1) as pool:
        run = pool.submit(bridge.run_until, ending)
        try:
            until(lambda: run.done() or events(logged).count("message_put_off") == 2)
        finally:
            ending.set()
        run.result()
    assert events(logged).count("message_refused") == 2


@IN_A_FOLDER
def test_a_broker_that_is_away_is_told_once_and_found_again(
    settings: Settings, kafka: KafkaServer, desk: Office, bridge: Worker
) -> None:
    brokers = Brokers(desk.folder.database)
    until(lambda: brokers.is_up() is True)
    kafka.send(request("one"))
    until(lambda: len(jobs_of(desk)) == 1)
    with kafka.away():
        until(lambda: brokers.is_up() is False)
        finish(desk)
        until(lambda: desk.desk.present().kafka_up is False)
    assert told(kafka.read(COMPLETED, 1)) == [("one", "job.completed")]
    until(lambda: brokers.is_up() is True)
    events = [json.loads(line)["event"] for line in bridge.lines]
    assert [events.count(event) for event in ("kafka_down", "kafka_up")] == [1, 2]
    assert not any("rdkafka" in line for line in bridge.lines)


@IN_A_FOLDER
def test_a_bridge_starts_without_its_broker_and_ends_when_it_is_told_to(
    settings: Settings, desk: Office, free_port: int
) -> None:
    with worker(settings, BRIDGE, RAPT_KAFKA_SERVERS=f"127.0.0.1:{free_port}") as one:
        until(lambda: desk.desk.present().kafka_up is False)
        assert one.wrote("kafka_down")
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(20) == 0
    assert desk.desk.present().kafka_up is None


@IN_A_FOLDER
def test_without_a_server_it_says_so(settings: Settings) -> None:
    with worker(settings, BRIDGE) as one:
        assert one.process.wait(60) == 1
        until(lambda: one.wrote("Error: RAPT_KAFKA_SERVERS names no broker"))

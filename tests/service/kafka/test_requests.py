"""Messages become rows or dead letters; who takes jobs in and who publishes are made up."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from emotion.errors import InvalidRequest, Overloaded, RaptError
from service.database.tables import deliveries
from service.jobs.errors import JobConflict
from service.jobs.job import LOCAL, Job, Kind, Owner
from service.jobs.opened import OpenedFolder, opened_folder
from service.jobs.requests import JobRequest
from service.kafka.broker import KafkaUnavailable, Outgoing
from service.kafka.requests import Incoming, Requests
from service.settings import Settings

MESSAGE = {"id": "order-7", "kind": "video", "uri": "s3://inbox/party.mp4"}


@dataclass
class FakePublisher:
    """Keeps what it is given, or takes nothing."""

    failure: str | None = None
    letters: list[Outgoing] = field(default_factory=list)

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        self.letters.extend(messages)
        return [self.failure] * len(messages)


@dataclass
class FakeIntake:
    """Writes a row, whose key is kept as it is, or refuses."""

    folder: OpenedFolder
    error: RaptError | None = None

    def request(self, owner: Owner, request: JobRequest) -> Job:
        if self.error is not None:
            raise self.error
        ledger = self.folder.ledger
        earlier = ledger.with_key(owner, request.key or "", 60.0)
        if earlier is not None:
            return earlier
        job = ledger.reserve(
            owner, Kind.VIDEO, id="a", name=None, settings={}, idempotency_key=request.key
        )
        ledger.received(job, 1, "ab" * 32)
        return job


@pytest.fixture
def folder() -> Iterator[OpenedFolder]:
    with opened_folder(Settings()) as opened:
        yield opened


def incoming(value: object, key: bytes | None = b"key") -> Incoming:
    encoded = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    return Incoming("rapt.jobs.requested", 0, 41, key, encoded)


def requests_of(
    folder: OpenedFolder, publisher: FakePublisher, error: RaptError | None = None
) -> Requests:
    return Requests(FakeIntake(folder, error), folder.database, publisher, Settings())


def promised(folder: OpenedFolder) -> list[tuple[str, str, str]]:
    with folder.database.begin() as connection:
        rows = connection.execute(select(deliveries)).all()
    return [(row.job_id, row.channel, row.address) for row in rows]


def test_a_message_makes_a_job_whose_end_is_promised(folder: OpenedFolder) -> None:
    publisher = FakePublisher()
    requests_of(folder, publisher).take(incoming(MESSAGE))
    assert folder.ledger.get(LOCAL, Kind.VIDEO, "a").id == "a"
    assert promised(folder) == [("a", "kafka", "order-7")]
    assert publisher.letters == []


def test_a_message_that_comes_twice_makes_one_job_and_one_promise(folder: OpenedFolder) -> None:
    requests = requests_of(folder, FakePublisher())
    requests.take(incoming(MESSAGE))
    requests.take(incoming(MESSAGE))
    assert len(folder.ledger.page(LOCAL, Kind.VIDEO, 10, None)) == 1
    assert promised(folder) == [("a", "kafka", "order-7")]


def test_what_is_malformed_is_buried_as_it_came_with_its_reason(folder: OpenedFolder) -> None:
    publisher = FakePublisher()
    requests_of(folder, publisher).take(incoming(b"{"))
    (letter,) = publisher.letters
    assert (letter.topic, letter.key, letter.value) == (
        "rapt.jobs.requested.dead-letters",
        b"key",
        b"{",
    )
    assert letter.headers["rapt-reason"].startswith(b"The message: Invalid JSON")
    assert letter.headers["rapt-message"] == b"rapt.jobs.requested/0/41"


def test_what_is_refused_is_buried_with_its_reason(folder: OpenedFolder) -> None:
    publisher = FakePublisher()
    requests_of(folder, publisher, InvalidRequest("uri: it is nowhere.")).take(incoming(MESSAGE))
    assert publisher.letters[0].headers["rapt-reason"] == b"uri: it is nowhere."
    assert promised(folder) == []


def test_a_webhook_that_may_not_be_is_refused_before_there_is_a_job(folder: OpenedFolder) -> None:
    publisher = FakePublisher()
    message = {**MESSAGE, "webhook": "https://127.0.0.1/"}
    requests_of(folder, publisher).take(incoming(message))
    assert publisher.letters[0].headers["rapt-reason"].startswith(b"webhook: ")
    assert folder.ledger.page(LOCAL, Kind.VIDEO, 10, None) == []


def test_of_what_is_too_large_the_beginning_is_buried(folder: OpenedFolder) -> None:
    publisher = FakePublisher()
    requests_of(folder, publisher).take(incoming(b"a" * 1_000_000, b"k" * 5000))
    (letter,) = publisher.letters
    assert (letter.value, letter.key) == (b"a" * 65_536, b"k" * 1024)


def test_an_empty_message_is_buried_empty(folder: OpenedFolder) -> None:
    publisher = FakePublisher()
    requests_of(folder, publisher).take(incoming(None, None))
    assert (publisher.letters[0].key, publisher.letters[0].value) == (None, b"")


def test_a_dead_letter_that_is_not_taken_is_told(folder: OpenedFolder) -> None:
    with pytest.raises(KafkaUnavailable):
        requests_of(folder, FakePublisher("timed out")).take(incoming(b"{"))


@pytest.mark.parametrize("error", [Overloaded("full"), JobConflict("arriving")])
def test_what_may_go_later_is_told_and_not_buried(folder: OpenedFolder, error: RaptError) -> None:
    publisher = FakePublisher()
    with pytest.raises(type(error)):
        requests_of(folder, publisher, error).take(incoming(MESSAGE))
    assert publisher.letters == []

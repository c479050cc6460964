"""The connection to Kafka: whether it stands, and what is published.

librdkafka connects again by itself, for ever; here is only noted how it stands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from emotion.errors import CapacityError, InvalidRequest
from service.delivery_settings import DeliverySettings

Client = TypeVar("Client", Consumer, Producer)
OnCommit = Callable[[KafkaError | None, list[TopicPartition]], None]

_PROBE_SECONDS = 2.0
# A message that is not taken by then is told as lost; the courier's lease is longer.
_PUBLISH_SECONDS = 15.0
_COMMON = {
    "client.id": "rapt",
    # How the connection stands is told once, by us.
    "log_level": 0,
    "log.connection.close": False,
}

log = structlog.get_logger()


class KafkaUnavailable(CapacityError):
    """Kafka doesn't answer, or took a message not now; it may later."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be published.

    Attributes:
        topic: where.
        key: messages of one key keep their order.
        value: what.
        headers: beside it.
    """

    topic: str
    key: bytes | None
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Publisher(Protocol):
    """Publishes messages."""

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        """Return of each why it was not taken, or None."""
        ...


class Broker:
    """One a process. To be used from one thread."""

    def __init__(self, settings: DeliverySettings) -> None:
        """Prepare to connect.

        Raises:
            InvalidRequest: there is no broker in the settings, or an option is none.
        """
        if not settings.kafka_servers:
            raise InvalidRequest("RAPT_KAFKA_SERVERS names no broker; set it to HOST:PORT.")
        self._settings = settings
        self._is_up: bool | None = None
        self._why = ""
        limits = {"acks": "all", "delivery.timeout.ms": int(_PUBLISH_SECONDS * 1000)}
        self._producer = _made(Producer, self._configured(limits))

    def consumer(self, on_commit: OnCommit) -> Consumer:
        """Return a consumer whose offsets are committed by hand.

        Args:
            on_commit: is told, while it polls, what came of a commit.
        """
        own = {
            "group.id": self._settings.kafka_group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "on_commit": on_commit,
        }
        return _made(Consumer, self._configured(own))

    def look(self) -> bool:
        """Return whether it answers; a change is logged, once."""
        try:
            self.topics()
        except KafkaUnavailable as error:
            if self._is_up is not False:
                log.warning("kafka_down", why=error.message)
            self._is_up = False
        else:
            if not self._is_up:
                log.info("kafka_up")
            self._is_up = True
        return self._is_up

    def topics(self) -> frozenset[str]:
        """Return the topics that there are.

        Raises:
            KafkaUnavailable: it doesn't answer.
        """
        try:
            found = self._producer.list_topics(timeout=_PROBE_SECONDS).topics
        except KafkaException as error:
            # What librdkafka tells by its callback says more.
            self._producer.poll(0.0)
            why = self._why or error.args[0].str()
            raise KafkaUnavailable(
                f"Kafka doesn't answer: {why}. Check RAPT_KAFKA_SERVERS."
            ) from error
        self._why = ""
        return frozenset(found)

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        """Publish messages; return of each why it was not taken, or None."""
        outcomes: list[str | None] = ["Kafka didn't answer in time."] * len(messages)
        for number, one in enumerate(messages):
            try:
                self._producer.produce(
                    one.topic,
                    one.value,
                    one.key,
                    headers=dict(one.headers),
                    on_delivery=partial(_note, outcomes, number),
                )
            except KafkaException as error:
                outcomes[number] = error.args[0].str()
            except BufferError as error:
                outcomes[number] = str(error)
        self._producer.flush(_PUBLISH_SECONDS + 1.0)
        return outcomes

    def _configured(self, own: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **_COMMON,
            **self._settings.kafka_options,
            **own,
            "bootstrap.servers": self._settings.kafka_servers,
            "error_cb": self._on_error,
        }

    def _on_error(self, error: KafkaError) -> None:
        # Of all that follows one failure, the first says most.
        self._why = self._why or error.str()


def _note(outcomes: list[str | None], number: int, error: KafkaError | None, _: Message) -> None:
    outcomes[number] = None if error is None else error.str()


def _made(client: Callable[[dict[str, Any]], Client], configuration: dict[str, Any]) -> Client:
    try:
        return client(configuration)
    except KafkaException as error:
        raise InvalidRequest(f"RAPT_KAFKA_OPTIONS: {error.args[0].str()}.") from error

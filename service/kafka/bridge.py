"""Goes round: reads requests, tells of ends, says how the connection stands."""

import threading
import time
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from emotion.errors import CapacityError, RaptError
from service.chores import do_chore
from service.delivery.courier import Courier, Pace
from service.delivery.deliveries import Deliveries
from service.jobs.brokers import Brokers
from service.jobs.errors import JobConflict
from service.jobs.opened import OpenedFolder
from service.jobs.promises import Channel
from service.kafka.announcements import Announcements
from service.kafka.broker import Broker
from service.kafka.messages import REQUESTED
from service.kafka.requests import Incoming, Intake, Requests
from service.settings import Settings

_POLL_SECONDS = 0.5
_LOOK_SECONDS = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # Seconds before a message is taken again.
_HOUR = 3600.0
_CONFLICT_SECONDS = 15.0

log = structlog.get_logger()


class Bridge:
    """Between Kafka and the rows of jobs. Any number may run; Kafka shares out the messages."""

    def __init__(self, folder: OpenedFolder, intake: Intake, settings: Settings) -> None:
        """Prepare.

        Args:
            folder: where jobs are kept.
            intake: takes jobs in.
            settings: where Kafka is.

        Raises:
            InvalidRequest: the settings don't say, or not so that it can be understood.
        """
        self._broker = Broker(settings)
        self._requests = Requests(intake, folder.database, self._broker, settings)
        self._courier = Courier(
            Deliveries(folder.database, Channel.KAFKA),
            Announcements(self._broker),
            Pace(1.0, 30.0, settings.delivery_hours * _HOUR),
        )
        self._brokers = Brokers(folder.database)
        self._consumer = self._broker.consumer(_told_of_commit)
        self._wait = _FIRST_WAIT
        self._next_look = 0.0
        self._is_up = False
        # Since when a message meets an upload that is arriving, by its place.
        self._conflicts: dict[str, float] = {}

    def run_until(self, ending: threading.Event) -> None:
        """Work until an event is set. What was begun is finished; nothing is lost if it isn't."""
        self._consumer.subscribe([REQUESTED])
        try:
            while not ending.is_set():
                self._look()
                if self._is_up:
                    do_chore("kafka_courier", self._courier.go_round)
                message = self._consumer.poll(_POLL_SECONDS)
                if message is not None:
                    self._take(message, ending)
        finally:
            self._consumer.close()
            do_chore("kafka_state", self._brokers.forget)

    def _look(self) -> None:
        if time.monotonic() >= self._next_look:
            self._is_up = self._broker.look()
            do_chore("kafka_state", partial(self._brokers.say, is_up=self._is_up))
            self._next_look = time.monotonic() + _LOOK_SECONDS

    def _take(self, message: Message, ending: threading.Event) -> None:
        failure = message.error()
        if failure is not None:
            log.warning("kafka_not_read", why=failure.str())
            ending.wait(self._wait)
            return
        incoming = _incoming(message)
        try:
            self._settle(incoming)
        except (JobConflict, CapacityError) as error:
            self._put_off(incoming, error, ending)
        else:
            self._commit(message, incoming)

    def _settle(self, incoming: Incoming) -> None:
        try:
            self._requests.take(incoming)
        except JobConflict as error:
            # An upload of the same key may arrive for an hour, and the partition isn't its hostage.
            since = self._conflicts.setdefault(incoming.place, time.monotonic())
            if time.monotonic() - since < _CONFLICT_SECONDS:
                raise
            self._requests.bury(incoming, error)

    def _put_off(self, incoming: Incoming, error: RaptError, ending: threading.Event) -> None:
        # An upload's conflict and a full queue say no name.
        log.warning("message_put_off", message=incoming.place, why=error.message)
        self._reposition(incoming)
        ending.wait(self._wait)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)

    def _commit(self, message: Message, incoming: Incoming) -> None:
        self._wait = _FIRST_WAIT
        self._conflicts.pop(incoming.place, None)
        # Not waited for: that takes a minute where the broker is gone.
        self._consumer.commit(message=message, asynchronous=True)

    def _reposition(self, incoming: Incoming) -> None:
        """Have the same message come again."""
        place = TopicPartition(incoming.topic, incoming.partition, incoming.offset)
        try:
            self._consumer.seek(place)
        except KafkaException as error:
            # Its partition is another's now, who gets it, since it isn't committed.
            log.info("message_left", message=incoming.place, why=error.args[0].str())


def _told_of_commit(failure: KafkaError | None, places: list[TopicPartition]) -> None:
    if failure is not None:
        # It comes again, to somebody, and makes no second job.
        log.info("messages_not_committed", messages=len(places), why=failure.str())


def _incoming(message: Message) -> Incoming:
    return Incoming(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.key(),
        message.value(),
    )

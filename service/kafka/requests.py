"""A message in, a job or a dead letter out."""

from dataclasses import dataclass
from typing import Protocol

import structlog

from emotion.errors import InputError
from service.database.connection import Database
from service.delivery.targets import check_webhook
from service.delivery_settings import DeliverySettings
from service.jobs.errors import JobConflict
from service.jobs.job import LOCAL, Job, Owner
from service.jobs.promises import Channel, promise_later
from service.jobs.requests import JobRequest
from service.kafka.broker import KafkaUnavailable, Outgoing, Publisher
from service.kafka.messages import DEAD_LETTERS, MOST_BYTES, JobRequested

_MOST_KEY = 1024
_MOST_REASON = 1024

log = structlog.get_logger()


class Intake(Protocol):
    """Takes jobs in."""

    def request(self, owner: Owner, request: JobRequest) -> Job:
        """Make a job; the same one for the same key.

        Raises:
            InputError: it is refused.
            CapacityError: not now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that came.

    Attributes:
        topic: from where.
        partition: of it.
        offset: in that.
        key: as it was sent.
        value: as it was sent; None is a tombstone.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> str:
        """For logs and dead letters."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Requests:
    """Makes jobs of messages.

    Attributes:
        intake: takes jobs in.
        database: of what is promised.
        publisher: of dead letters.
        settings: which webhooks may be.
    """

    intake: Intake
    database: Database
    publisher: Publisher
    settings: DeliverySettings

    def take(self, message: Incoming) -> None:
        """Make a job of a message, or a dead letter; afterwards its offset may be committed.

        Taken twice, it makes one job.

        Raises:
            JobConflict: not now: the same message is being taken elsewhere.
            CapacityError: not now.
        """
        try:
            requested = JobRequested.of(message.value)
            if requested.webhook is not None:
                check_webhook(requested.webhook, self.settings)
            job = self.intake.request(LOCAL, requested.job_request())
        except JobConflict:
            raise
        except InputError as error:
            self.bury(message, error)
            return
        promise_later(self.database, job, Channel.KAFKA, requested.id)
        log.info("job_requested", job=job.id, message=message.place)

    def bury(self, message: Incoming, error: InputError) -> None:
        """Put a message where somebody looks at what became no job.

        Raises:
            KafkaUnavailable: not now.
        """
        # What is wrong may have a name in it: it is in the dead letter alone.
        log.warning("message_refused", message=message.place, why=type(error).__name__)
        letter = Outgoing(
            DEAD_LETTERS,
            None if message.key is None else message.key[:_MOST_KEY],
            # Of one that is too large, the beginning is enough to know it by.
            (message.value or b"")[:MOST_BYTES],
            {
                "rapt-reason": error.message.encode()[:_MOST_REASON],
                "rapt-message": message.place.encode(),
            },
        )
        (failure,) = self.publisher.publish([letter])
        if failure is not None:
            raise KafkaUnavailable(f"A dead letter was not taken: {failure}")

"""Tells of jobs that have ended, to whom a message asked for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.delivery.courier import Outcome
from service.delivery.deliveries import Delivery
from service.kafka.broker import Outgoing, Publisher
from service.kafka.messages import JobEnded, topic_of


@dataclass(frozen=True, slots=True)
class Announcements:
    """A courier's sender.

    Attributes:
        publisher: of them.
    """

    publisher: Publisher

    def send(self, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        """Publish a batch; see ``Sender``."""
        messages = [
            Outgoing(
                topic_of(one.job),
                one.address.encode(),
                JobEnded.answer(one.address, one.job).model_dump_json().encode(),
                {"rapt-delivery": one.id.encode()},
            )
            for one in batch
        ]
        return [Outcome(why) for why in self.publisher.publish(messages)]

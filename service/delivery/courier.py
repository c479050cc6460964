"""Goes round: takes what is due, has it sent, and notes what came of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from service.delivery.deliveries import Deliveries, Delivery

_MOST_AT_ONCE = 16
# Much longer than a sender may take: what it took is then taken for lost, and sent again.
_LEASE_SECONDS = 120.0
_BACK_OFF = 4.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try.

    Attributes:
        why: it failed, without the address, which may hold a secret; None if it arrived.
        is_final: whether trying again is of no use.
        wait: seconds for which it asks to be left alone.
    """

    why: str | None = None
    is_final: bool = False
    wait: float = 0.0


class Sender(Protocol):
    """Carries deliveries to who is to be told."""

    def send(self, batch: Sequence[Delivery]) -> Sequence[Outcome]:
        """Send each of them, and say what came of it, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a delivery is tried.

    Attributes:
        first_wait: seconds after the first try; each later one waits four times as long.
        longest_wait: but no longer than so many seconds.
        give_up_after: seconds after the job's end.
    """

    first_wait: float
    longest_wait: float
    give_up_after: float

    def wait_after(self, attempts: int, asked: float = 0.0) -> float:
        """Return the seconds until the next try; more where that is asked for."""
        longest = self.longest_wait
        wait = self.first_wait
        for _ in range(attempts - 1):
            wait = min(wait * _BACK_OFF, longest)
        return min(max(wait, asked), longest)


@dataclass(frozen=True, slots=True)
class Courier:
    """Tells of the ends of jobs one way; any number may go round at once.

    Attributes:
        deliveries: what is to be told that way.
        sender: tells it.
        pace: how often it is tried.
    """

    deliveries: Deliveries
    sender: Sender
    pace: Pace

    def go_round(self) -> None:
        """Send what is due, some of it if that is much.

        Raises:
            StorageFull: what came of it couldn't be noted; it will be sent again.
            StorageUnavailable: likewise.
        """
        batch = self.deliveries.take(_MOST_AT_ONCE, _LEASE_SECONDS)
        if batch:
            for delivery, outcome in zip(batch, self.sender.send(batch), strict=True):
                self._note(delivery, outcome)

    def _note(self, delivery: Delivery, outcome: Outcome) -> None:
        said = {"job": delivery.job.id, "delivery": delivery.id, "attempts": delivery.attempts}
        age = time.time() - (delivery.job.ended_at or 0.0)
        if outcome.why is None:
            log.info("delivered", **said)
            self.deliveries.end(delivery)
        elif outcome.is_final or age > self.pace.give_up_after:
            log.warning("delivery_given_up", why=outcome.why, **said)
            self.deliveries.end(delivery)
        else:
            log.info("delivery_failed", why=outcome.why, **said)
            self.deliveries.put_off(delivery, self.pace.wait_after(delivery.attempts, outcome.wait))

"""How long somebody is willing to wait."""

import time
from dataclasses import dataclass

from emotion.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on this machine's monotonic clock, the same in all its processes.

    Attributes:
        at: seconds, as ``time.monotonic`` counts; infinity never comes.
    """

    at: float = float("inf")

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the moment ``seconds`` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; negative once it has passed."""
        return self.at - time.monotonic()

    def check(self) -> None:
        """Stop here if the time is over, so that no work is done that nobody waits for.

        Raises:
            DeadlineExceeded: it is.
        """
        if self.remaining <= 0:
            raise DeadlineExceeded("The answer was not ready in time; nothing was computed.")

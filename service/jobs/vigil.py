"""For how long the signs of life of others were seen without a break."""

import time
from collections.abc import Callable

_LEAST_BREAK = 5.0  # Seconds; a machine that is busy looks late.


class Vigil:
    """Says when the silence of others may be taken for death.

    While storage doesn't answer, nobody can give a sign of life, and afterwards all seem dead: so
    who comes back first waits for the others.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin when first asked.

        Args:
            seconds: of silence after which others are dead.
            clock: in seconds.
        """
        self._seconds = seconds
        self._clock = clock
        self._since = self._last = -float("inf")

    def is_long_enough(self) -> bool:
        """Return whether it has lasted so long. To be asked at each look that succeeds."""
        now = self._clock()
        if now - self._last > max(_LEAST_BREAK, self._seconds / 2):
            self._since = now
        self._last = now
        return now - self._since >= self._seconds

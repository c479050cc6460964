"""Admission: how much is in work at once, and until when. One rule for every transport.

Whatever a request holds, it holds from its arrival on, so that reading a body is bounded too.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from emotion.deadline import Deadline
from emotion.errors import Overloaded

_RETRY_AFTER = 1.0  # Seconds; a photo takes tens of milliseconds.


class Slot:
    """One admitted request: its deadline, and the bytes it holds in memory."""

    def __init__(self, admission: "Admission", deadline: Deadline) -> None:
        """Belong to an admission; made by ``Admission.admit`` only."""
        self._admission = admission
        self.deadline = deadline
        self.held = 0

    def hold(self, count: int) -> None:
        """Account for ``count`` more bytes in memory until the request ends.

        Raises:
            Overloaded: all requests together hold too many.
        """
        self._admission.hold(count)
        self.held += count

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Take a body in whose size is known only once all of it is here, as gRPC does.

        Waits, at most until the request's deadline, while too many such bodies are on their way:
        until they are held, any of them may be as large as one can be.
        """
        async with self._admission.unmeasured:
            yield


class Admission:
    """Counts requests and their bytes. To be used from one event loop."""

    def __init__(
        self,
        max_in_flight: int,
        max_bytes: int,
        deadline_seconds: float,
        max_unmeasured: int = 1,
    ) -> None:
        """Set the limits.

        Args:
            max_in_flight: requests in work or waiting at once.
            max_bytes: bytes of all their bodies together.
            deadline_seconds: time from a request's arrival to its answer.
            max_unmeasured: bodies of unknown size taken in at once; see ``Slot.receiving``.
        """
        self._max_in_flight = max_in_flight
        self._max_bytes = max_bytes
        self._deadline_seconds = deadline_seconds
        self.unmeasured = asyncio.Semaphore(max_unmeasured)
        self.in_flight = 0
        self._bytes = 0

    @contextmanager
    def admit(self, patience: float = math.inf) -> Iterator[Slot]:
        """Let a request in for as long as the block runs.

        Args:
            patience: seconds that the caller waits, where it says so; the deadline is then at
                most so far away.

        Raises:
            Overloaded: there are too many already.
        """
        if self.in_flight >= self._max_in_flight:
            raise Overloaded(
                f"All {self._max_in_flight} places for requests are taken. Try again shortly.",
                _RETRY_AFTER,
            )
        slot = Slot(self, Deadline.after(min(self._deadline_seconds, patience)))
        self.in_flight += 1
        try:
            yield slot
        finally:
            self.in_flight -= 1
            self._bytes -= slot.held

    def hold(self, count: int) -> None:
        """Account for bytes; see ``Slot.hold``."""
        if self._bytes + count > self._max_bytes:
            raise Overloaded("Too much is being uploaded at once. Try again shortly.", _RETRY_AFTER)
        self._bytes += count

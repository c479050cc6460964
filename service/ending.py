"""Whether this process has been told to end, known at once.

uvicorn tells an application last, when all requests are answered: too late for those that wait for
the end.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """The end of a process, as those hear of it who run in its event loop."""

    def __init__(self) -> None:
        """Begin without an end in sight."""
        self._told = asyncio.Event()
        self._bounded: dict[asyncio.Timeout, float] = {}

    @property
    def is_told(self) -> bool:
        """Whether it has been told to end."""
        return self._told.is_set()

    def tell(self) -> None:
        """Tell it to end."""
        if self.is_told:
            return
        self._told.set()
        for block, seconds in self._bounded.items():
            block.reschedule(asyncio.get_running_loop().time() + seconds)

    async def wait(self) -> None:
        """Wait until it is told to end."""
        await self._told.wait()

    @asynccontextmanager
    async def bounding(self, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """End a block so many seconds after the end is told; until then it may take any time.

        Raises:
            TimeoutError: it was ended.
        """
        async with asyncio.timeout(seconds if self.is_told else None) as block:
            self._bounded[block] = seconds
            try:
                yield block
            finally:
                del self._bounded[block]

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Be told by SIGINT and SIGTERM while the block runs, and pass them on to their handlers.

        To be used in the event loop of the main thread; in others nobody is sent a signal.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        former = {number: signal.getsignal(number) for number in _SIGNALS}

        def on_signal(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.tell)
            handler = former[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for number in _SIGNALS:
            signal.signal(number, on_signal)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

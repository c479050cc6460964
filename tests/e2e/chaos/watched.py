"""What callers see of a service while something happens to what it needs."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.e2e.load import Load, Tally
from tests.e2e.servers import Server

CLIENTS = 4
_LOOK_SECONDS = 0.1
_BACK_SECONDS = 60.0
# A few answers more, once all is well again.
_GOOD_ANSWERS = 4 * CLIENTS


@dataclass
class Seen:
    """What clients of photos and a probe of readiness saw.

    Attributes:
        tally: of the photos.
        looks: at /readyz: when, and whether it was 200.
        fault_at: when the fault began.
    """

    tally: Tally = field(default_factory=Tally)
    looks: list[tuple[float, bool]] = field(default_factory=list)
    fault_at: float = math.inf

    def begin_fault(self) -> None:
        """Note that it begins now."""
        self.fault_at = time.monotonic()

    @property
    def was_unready(self) -> bool:
        """Whether readiness turned false."""
        return not all(is_ready for _, is_ready in self.looks)

    @property
    def unready_after(self) -> float:
        """Seconds from the fault until readiness turned false."""
        return next(when for when, is_ready in self.looks if not is_ready) - self.fault_at

    def back_after(self, mended_at: float) -> float:
        """Seconds from the mending until readiness was true for good."""
        last = max(when for when, is_ready in self.looks if not is_ready)
        return max(0.0, last - mended_at)

    async def answers(self, count: int) -> None:
        """Wait for so many more answers that are right."""
        wanted = self.tally.statuses[200] + count
        async with asyncio.timeout(_BACK_SECONDS):
            while self.tally.statuses[200] < wanted:
                await asyncio.sleep(0.02)

    async def unready(self) -> None:
        """Wait until readiness has turned false."""
        async with asyncio.timeout(_BACK_SECONDS):
            while not self.was_unready:
                await asyncio.sleep(0.02)

    async def well(self) -> None:
        """Wait until it is ready and answers."""
        async with asyncio.timeout(_BACK_SECONDS):
            while not self.looks[-1][1]:
                await asyncio.sleep(0.02)
        await self.answers(_GOOD_ANSWERS)

    def __str__(self) -> str:
        slowest = max(self.tally.times)
        return f"photos {dict(self.tally.statuses)}, slowest {slowest:.1f} s"


@asynccontextmanager
async def watching(
    server: Server, photo: bytes, *, may_be_late: bool = False
) -> AsyncIterator[Seen]:
    """Have clients send photos, and a probe ask, while the block runs."""
    seen, over = Seen(), asyncio.Event()
    expected = (await asyncio.to_thread(server.post, photo)).json()

    async def probe(session: aiohttp.ClientSession) -> None:
        while not over.is_set():
            async with session.get("/readyz") as response:
                seen.looks.append((time.monotonic(), response.status == 200))
            await asyncio.sleep(_LOOK_SECONDS)

    async def client(load: Load) -> None:
        while not over.is_set():
            await load.ask(seen.tally)

    timeout = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(server.url, timeout=timeout) as session,
        asyncio.TaskGroup() as group,
    ):
        load = Load(session, photo, expected, may_be_late)
        group.create_task(probe(session))
        for _ in range(CLIENTS):
            group.create_task(client(load))
        await seen.answers(_GOOD_ANSWERS)
        try:
            yield seen
        finally:
            over.set()

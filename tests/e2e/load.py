"""Clients that ask a server for one photo again and again, and what came of it.

They behave well: each keeps its connection, asks again as soon as it is answered, and waits as
long as a 503 says.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

# An answer's last digit may differ with the batch that a face was judged in.
ROUNDING = 1.5e-4


@dataclass
class Tally:
    """What came of the requests of so many clients at once."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.statuses[200] / self.seconds

    @property
    def p99(self) -> float:
        """Seconds that one request in a hundred took longer than."""
        return float(np.percentile(self.times, 99))

    def __str__(self) -> str:
        return (
            f"{self.rate:5.1f} answers/s over {self.seconds:.0f} s, "
            f"p99 {self.p99:.2f} s, slowest {max(self.times):.2f} s, {dict(self.statuses)}"
        )


@dataclass(frozen=True)
class Load:
    """Asks a server for one photo again and again."""

    session: aiohttp.ClientSession
    photo: bytes
    expected: dict[str, Any]
    may_be_late: bool = False  # Whether a 504 is an answer as it should be, too.

    async def ask(self, tally: Tally) -> None:
        began = time.perf_counter()
        headers = {"content-type": "image/jpeg"}
        async with self.session.post("/v1/photos", data=self.photo, headers=headers) as response:
            body = await response.json(content_type=None)
        tally.statuses[response.status] += 1
        tally.times.append(time.perf_counter() - began)
        if response.status == 200:
            if not same(body["faces"], self.expected["faces"]):
                tally.wrong.append(str(body))
        elif response.status == 503 and "retry-after" in response.headers:
            await asyncio.sleep(float(response.headers["retry-after"]))
        elif not (response.status == 504 and self.may_be_late):
            tally.wrong.append(f"{response.status} {body}")

    async def client(self, tally: Tally, end: float) -> None:
        while time.perf_counter() < end:
            await self.ask(tally)

    async def window(self, clients: int, seconds: float, tally: Tally) -> None:
        """Have so many clients ask for so long, and wait until all are answered."""
        began = time.perf_counter()
        await asyncio.gather(*(self.client(tally, began + seconds) for _ in range(clients)))
        tally.seconds += time.perf_counter() - began


def same(one: object, other: object) -> bool:
    """Whether two JSON values are equal but for rounding."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= ROUNDING
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other

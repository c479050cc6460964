"""64 clients at once for a minute: nothing fails, every answer is right, and none is slowed.

Clients behave well: each keeps its connection, asks again as soon as it is answered, and waits
as long as a 503 says.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from tests.e2e.servers import Server

FEW, MANY = 8, 64
# Few and many clients take turns, so that whatever else the machine does slows both alike.
ROUNDS = 6
FEW_SECONDS, MANY_SECONDS = 6.0, 10.0
LEAST_SHARE = 0.9
# An answer's last digit may differ with the batch that a face was judged in.
ROUNDING = 1.5e-4


@dataclass
class Tally:
    """What came of the requests of so many clients at once."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    slowest: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.statuses[200] / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.rate:5.1f} answers/s over {self.seconds:.0f} s, "
            f"slowest {self.slowest:.2f} s, {dict(self.statuses)}"
        )


@dataclass(frozen=True)
class Load:
    """Asks a server for one photo again and again."""

    session: aiohttp.ClientSession
    photo: bytes
    expected: dict[str, Any]

    async def ask(self, tally: Tally) -> None:
        began = time.perf_counter()
        headers = {"content-type": "image/jpeg"}
        async with self.session.post("/v1/photos", data=self.photo, headers=headers) as response:
            body = await response.json(content_type=None)
        tally.statuses[response.status] += 1
        tally.slowest = max(tally.slowest, time.perf_counter() - began)
        if response.status == 200:
            if not same(body["faces"], self.expected["faces"]):
                tally.wrong.append(str(body))
        elif response.status == 503 and "retry-after" in response.headers:
            await asyncio.sleep(float(response.headers["retry-after"]))
        else:
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


async def take_turns(server: Server, photo: bytes) -> tuple[Tally, Tally]:
    """Let few and many clients take turns; return what came of each."""
    expected = server.post(photo).json()
    few, many = Tally(), Tally()
    connector = aiohttp.TCPConnector(limit=MANY)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(server.url, connector=connector, timeout=timeout) as session:
        load = Load(session, photo, expected)
        await load.window(FEW, 1.0, Tally())
        for _ in range(ROUNDS):
            await load.window(FEW, FEW_SECONDS, few)
            await load.window(MANY, MANY_SECONDS, many)
    return few, many


@pytest.mark.soak
async def test_64_clients_for_a_minute(
    server: Server,
    face_jpeg: bytes,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    few, many = await take_turns(server, face_jpeg)
    topology = request.node.callspec.params["server"]
    with capsys.disabled():
        print(f"\n{topology}: {FEW:2} clients: {few}")  # noqa: T201  # the figures are the point
        print(f"{topology}: {MANY:2} clients: {many}")  # noqa: T201  # as above
        print(f"{topology}: {many.rate / few.rate:.1%} of the throughput at {FEW}")  # noqa: T201  # as above
    assert few.wrong == []
    assert many.wrong == []
    assert set(many.statuses) <= {200, 503}
    assert many.rate >= LEAST_SHARE * few.rate
    assert server.metric("rapt_requests_in_flight") == 0

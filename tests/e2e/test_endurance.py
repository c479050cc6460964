"""32 clients for five minutes: no error, no slower than few, and no more memory at the end."""

import aiohttp
import pytest

from tests.e2e.load import Load, Tally
from tests.e2e.servers import Server

FEW, MANY = 8, 32
MINUTE = 60.0
MINUTES = 5
FEW_SECONDS = 10.0
LEAST_SHARE = 0.9
MOST_GROWTH = 1.05
DEADLINE_SECONDS = 30.0


@pytest.mark.soak
async def test_32_clients_for_five_minutes(
    server: Server,
    face_jpeg: bytes,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    expected = server.post(face_jpeg).json()
    few, many = Tally(), Tally()
    memory: list[int] = []
    connector = aiohttp.TCPConnector(limit=MANY)
    timeout = aiohttp.ClientTimeout(total=2 * DEADLINE_SECONDS)
    async with aiohttp.ClientSession(server.url, connector=connector, timeout=timeout) as session:
        load = Load(session, face_jpeg, expected)
        # In turns, so that whatever else the machine does slows both alike.
        for _ in range(MINUTES):
            await load.window(FEW, FEW_SECONDS, few)
            await load.window(MANY, MINUTE, many)
            memory.append(server.memory())
        await load.window(FEW, FEW_SECONDS, few)
    megabytes = ", ".join(f"{size / 2**20:.0f}" for size in memory)
    with capsys.disabled():
        print(f"\n{request.node.callspec.params['server']}: {FEW:2} clients: {few}")  # noqa: T201  # the figures are the point
        print(f"{MANY:2} clients: {many}; MB minute by minute: {megabytes}")  # noqa: T201  # as above
    assert few.wrong == []
    assert many.wrong == []
    assert set(many.statuses) <= {200, 503}
    assert many.rate >= LEAST_SHARE * few.rate
    assert many.p99 < DEADLINE_SECONDS
    assert memory[-1] <= MOST_GROWTH * memory[0]

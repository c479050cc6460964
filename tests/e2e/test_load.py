"""64 clients at once for a minute: nothing fails, every answer is right, and none is slowed."""

import aiohttp
import pytest

from tests.e2e.load import Load, Tally
from tests.e2e.servers import Server

FEW, MANY = 8, 64
# Few and many clients take turns, so that whatever else the machine does slows both alike.
ROUNDS = 6
FEW_SECONDS, MANY_SECONDS = 6.0, 10.0
LEAST_SHARE = 0.9


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

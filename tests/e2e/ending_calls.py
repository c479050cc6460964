"""Clients that call a server again and again until it ends, and what came of their calls.

HTTP keeps its connections; each client of gRPC has one of its own.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import grpc
import grpc.aio

from service.grpc.calls import REQUEST_ID
from tests.e2e.load import same
from tests.e2e.servers import Server
from tests.service.grpc.client import asking, stub_of

ANSWERED, REFUSED = "answered", "refused"

# Makes one call; says what came of it.
Ask = Callable[[], Awaitable[str]]


@dataclass
class Calls:
    """What came of calls.

    Attributes:
        in_flight: of those that had begun when the server was told to end.
        later: of those that began after that.
    """

    told_at: float = math.inf
    before: int = 0
    in_flight: Counter[str] = field(default_factory=Counter)
    later: Counter[str] = field(default_factory=Counter)

    def tell(self) -> None:
        """Note that the server is told to end now."""
        self.told_at = time.monotonic()

    async def call_until_refused(self, ask: Ask) -> None:
        outcome = ANSWERED
        while outcome == ANSWERED:
            began = time.monotonic()
            outcome = await ask()
            self._count(began, outcome)

    def _count(self, began: float, outcome: str) -> None:
        if began > self.told_at:
            self.later[outcome] += 1
        elif time.monotonic() > self.told_at:
            self.in_flight[outcome] += 1
        else:
            assert outcome == ANSWERED
            self.before += 1


@asynccontextmanager
async def calling(server: Server, photo: bytes, clients: int) -> AsyncIterator[Calls]:
    """Have half of the clients call over HTTP and half over gRPC; wait at the end for them all."""
    calls = Calls()
    faces = (await asyncio.to_thread(server.post, photo)).json()["faces"]
    timeout = aiohttp.ClientTimeout(total=60)
    async with AsyncExitStack() as held:
        session = await held.enter_async_context(aiohttp.ClientSession(server.url, timeout=timeout))
        asks: list[Ask] = [_over_http(session, photo, faces)] * (clients // 2)
        for _ in range(clients - len(asks)):
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(server.grpc_target, options)
            await held.enter_async_context(channel)
            asks.append(_over_grpc(channel, photo, len(faces)))
        group = await held.enter_async_context(asyncio.TaskGroup())
        for ask in asks:
            group.create_task(calls.call_until_refused(ask))
        yield calls


def _over_http(session: aiohttp.ClientSession, photo: bytes, faces: object) -> Ask:
    headers = {"content-type": "image/jpeg"}

    async def ask() -> str:
        try:
            async with session.post("/v1/photos", data=photo, headers=headers) as response:
                body = await response.json(content_type=None)
        except aiohttp.ClientConnectionError:
            return REFUSED
        if response.status != 200:
            return f"{response.status} {body}"
        return ANSWERED if same(body["faces"], faces) else f"wrong: {body}"

    return ask


def _over_grpc(channel: grpc.aio.Channel, photo: bytes, faces: int) -> Ask:
    stub, message = stub_of(channel), asking(photo)

    async def ask() -> str:
        try:
            answer = await stub.ModelInfer(message, timeout=60)
        except grpc.aio.AioRpcError as error:
            return REFUSED if _never_began(error) else f"{error.code()} {error.details()}"
        (rows,) = {output.shape[0] for output in answer.outputs}
        return ANSWERED if rows == faces else f"wrong: {rows} rows"

    return ask


def _never_began(error: grpc.aio.AioRpcError) -> bool:
    """Whether gRPC refused a call by itself, which it says in one of two ways.

    A call that arrives while the server is told to stop is CANCELLED (grpc/grpc#41785); what the
    service itself answers has an id.
    """
    if error.code() is grpc.StatusCode.CANCELLED:
        return REQUEST_ID not in dict(error.trailing_metadata())
    return error.code() is grpc.StatusCode.UNAVAILABLE

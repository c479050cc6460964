"""Ends the work on a request whose client has gone away: nobody waits for its answer."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive


@asynccontextmanager
async def until_disconnect(request: Request) -> AsyncIterator[Request]:
    """Give the request to read the body from, and end the block when the client hangs up.

    Raises:
        ClientDisconnect: it did, and the block was cancelled wherever it was.
    """
    try:
        async with asyncio.timeout(None) as block:
            client = _Client(request.receive, block)
            try:
                yield Request(request.scope, client.receive)
            finally:
                client.forget()
    except TimeoutError as error:
        if not block.expired():
            raise
        raise ClientDisconnect from error


class _Client:
    """Listens for the end of the connection from the moment on that the body is in.

    Until then that shows when the body is read; only one may receive at a time.
    """

    def __init__(self, receive: Receive, block: asyncio.Timeout) -> None:
        self._receive = receive
        self._block = block
        self._listening: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._end()
            # Whoever reads is cancelled here, as it is anywhere else.
            await asyncio.Event().wait()
        if not message.get("more_body", False):
            self._listening = asyncio.create_task(self._listen())
        return message

    def forget(self) -> None:
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._end()

    def _end(self) -> None:
        self._block.reschedule(-math.inf)

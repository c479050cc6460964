"""Lets a client read an answer that came before it had sent all of its body."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.ending import Ending

# A client on this machine sends some GB in that time, even if it stands still for some seconds; one
# far away reads the answer and stops.
_SECONDS = 10.0
# Within what uvicorn leaves to connections after the deadline; see ``service.orderly_service``.
_LAST_SECONDS = 3.0


class LingeringClose:
    """ASGI middleware: takes and drops the rest of a body before the connection is closed.

    Closing a connection with bytes unread resets it, and the answer is lost with it on its way
    (RFC 9112, section 9.6). It lingers for some seconds at most, or a body that never ends
    would be read for ever, for fewer once the service is told to end, and only where the answer
    closes the connection.
    """

    def __init__(self, app: ASGIApp, ending: Ending) -> None:
        """Wrap an application of a service that hears of its end so."""
        self._app = app
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._ending)
        closes = False

        async def send_and_linger(message: Message) -> None:
            nonlocal closes
            if message["type"] == "http.response.start":
                closes = Headers(raw=message["headers"]).get("connection") == "close"
            elif closes and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await body.drop()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, body.receive, send_and_linger)


class _Body:
    def __init__(self, receive: Receive, ending: Ending) -> None:
        self._receive = receive
        self._ending = ending
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        return message

    async def drop(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS), self._ending.bounding(_LAST_SECONDS):
                while not self._ended:
                    await self.receive()

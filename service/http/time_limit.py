"""BentoML's limit of a request's time, without what it leaves behind.

BentoML 1.4.39 starts a timer for each request and never cancels it: some 4 KB a request are kept
until the limit has passed, which is more than an hour at the front.
"""

import asyncio

from bentoml._internal.server.http import traffic
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class TimeLimit:
    """ASGI middleware: a request whose answer hasn't begun in time is given up with a 504."""

    def __init__(self, app: ASGIApp, timeout: float) -> None:
        """Stand before an application.

        Args:
            app: what answers.
            timeout: in seconds; BentoML gives it by this name.
        """
        self._app = app
        self._seconds = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; raise what the application raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def begin(message: Message) -> None:
            if not limit.expired():
                limit.reschedule(None)
            await send(message)

        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._app(scope, receive, begin)
        except TimeoutError:
            if not limit.expired():
                raise
            detail = {"error": f"Not able to process the request in {self._seconds} seconds"}
            await JSONResponse(detail, 504)(scope, receive, send)


def put_time_limit_in_place() -> None:
    """Have BentoML put this limit before the services that it is yet to start."""
    traffic.TimeoutMiddleware = TimeLimit  # type: ignore[assignment, misc]  # it is no subclass

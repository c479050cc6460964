"""Ends requests that the service would else wait for without end once it is told to end itself."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion.errors import ModelUnavailable
from service.ending import Ending
from service.http.problems import problem_response
from service.http.request_ids import request_id_of


class LastRequests:
    """ASGI middleware: what is in work when the end is told has the time of a photo yet.

    Photos have no more than that anyway. The upload of a video may take an hour; what came of it
    is then deleted, as with any upload that ends early, and its sender is told to send it again.
    """

    def __init__(self, app: ASGIApp, ending: Ending, seconds: float) -> None:
        """Wrap an application whose requests have so many seconds from the end's telling on."""
        self._app = app
        self._ending = ending
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        block = None
        try:
            async with self._ending.bounding(self._seconds) as block:
                await self._app(scope, receive, send_and_note)
        except TimeoutError:
            if block is None or not block.expired():
                raise
            # An answer that has begun is cut off: uvicorn closes its connection.
            if not is_begun:
                error = ModelUnavailable("The service is ending. Send it again.")
                await problem_response(error, request_id_of(scope))(scope, receive, send)

"""Puts the front in the place of BentoML's own application."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from service.ending import Ending


class FrontFirst:
    """ASGI middleware: every request goes to the front, start-up and shutdown to BentoML.

    A mounted application would come after BentoML's routes, which answer /livez, /readyz and
    /metrics in another shape, and serve a page that loads from other hosts.
    """

    def __init__(self, app: ASGIApp, front: ASGIApp, ending: Ending) -> None:
        """Stand between BentoML's application and the front, which hears of its end at once."""
        self._app = app
        self._front = front
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an event to whom it belongs."""
        if scope["type"] == "http":
            await self._front(scope, receive, send)
        elif scope["type"] == "lifespan":
            # Its first event comes when uvicorn has set its handlers of signals.
            with self._ending.heeding_signals():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def put_front_first(service: Any, front: ASGIApp, ending: Ending) -> None:  # noqa: ANN401  # BentoML hides its type
    """Have a BentoML service answer with the front."""
    service.add_asgi_middleware(FrontFirst, front=front, ending=ending)

"""Puts the front in the place of BentoML's own application."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send


class FrontFirst:
    """ASGI middleware: every request goes to the front, start-up and shutdown to BentoML.

    A mounted application would come after BentoML's routes, which answer /livez, /readyz and
    /metrics in another shape, and serve a page that loads from other hosts.
    """

    def __init__(self, app: ASGIApp, front: ASGIApp) -> None:
        """Stand between BentoML's application and the front."""
        self._app = app
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an event to whom it belongs."""
        is_request = scope["type"] == "http"
        await (self._front if is_request else self._app)(scope, receive, send)


def put_front_first(service: Any, front: ASGIApp) -> None:  # noqa: ANN401  # BentoML hides its type
    """Have a BentoML service answer with the front."""
    service.add_asgi_middleware(FrontFirst, front=front)

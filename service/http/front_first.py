"""Puts the front before BentoML's own application."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

# Where BentoML's own routes (schema, health, metrics in its shape) stay reachable.
BENTOML_PREFIX = "/bentoml"


class FrontFirst:
    """ASGI middleware: requests go to the front, those below ``/bentoml`` to BentoML.

    A mounted application would come after BentoML's routes, which answer /livez, /readyz and
    /metrics in another shape, and its prefix would move with theirs.
    """

    def __init__(self, app: ASGIApp, front: ASGIApp) -> None:
        """Stand between BentoML's application and the front."""
        self._app = app
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to whom it belongs; start-up and shutdown are BentoML's."""
        path = scope.get("path", "")
        is_front = scope["type"] == "http" and not path.startswith(f"{BENTOML_PREFIX}/")
        await (self._front if is_front else self._app)(scope, receive, send)


def put_front_first(service: Any, front: ASGIApp) -> None:  # noqa: ANN401  # BentoML hides its type
    """Have a BentoML service answer with the front."""
    service.add_asgi_middleware(FrontFirst, front=front)

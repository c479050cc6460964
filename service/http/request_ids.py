"""Gives each HTTP request its id, and says it in the header X-Request-Id."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from service.request_ids import choose_request_id

HEADER = "X-Request-Id"
_KEY = "rapt_request_id"


class RequestIds:
    """ASGI middleware: gives each request its id and says it in the response's header."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its id in the scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(Headers(scope=scope).get(HEADER))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        # Whatever is logged on the request's way carries its id.
        with bound_contextvars(request_id=request_id):
            await self._app({**scope, _KEY: request_id}, receive, send_with_id)


def request_id_of(scope: Scope) -> str:
    """Return the id that ``RequestIds`` gave."""
    request_id: str = scope[_KEY]
    return request_id

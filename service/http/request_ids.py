"""Gives each HTTP request its id, says it in X-Request-Id, and takes the caller's trace on."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.origins import TRACEPARENT, Origin, coming_from, plain_traceparent
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
        headers = Headers(scope=scope)
        request_id = choose_request_id(headers.get(HEADER))
        origin = Origin(request_id, plain_traceparent(headers.get(TRACEPARENT)))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with coming_from(origin):
            await self._app({**scope, _KEY: request_id}, receive, send_with_id)


def request_id_of(scope: Scope) -> str:
    """Return the id that ``RequestIds`` gave."""
    request_id: str = scope[_KEY]
    return request_id

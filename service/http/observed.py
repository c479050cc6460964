"""Counts each HTTP request by its route and status, and tells it as a span."""

import time
from collections.abc import Callable
from functools import cached_property

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import HttpMetrics
from service.tracing.spans import Kind, span

# They ask all day long: nobody follows them, and they would be most of what is counted.
_PROBES = ("/livez", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
# Of what has no route: callers' own words are no label.
_OTHER = "other"
_GONE = 499  # Nothing was answered: the client had gone.
_FAULT = 500


class ObservedRequests:
    """ASGI middleware; what it wraps has to leave its route in the scope, as Starlette does."""

    def __init__(self, app: ASGIApp, make_metrics: Callable[[], HttpMetrics]) -> None:
        """Wrap an application; the metrics are made for the first request.

        By then BentoML has said where figures are kept.
        """
        self._app = app
        self._make_metrics = make_metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else _OTHER
        status = _GONE
        began = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span(method, Kind.SERVER, {"http.request.method": method}) as told:
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                route = _route_of(scope)
                self._metrics.ended(method, route, status, time.perf_counter() - began)
                told.rename(f"{method} {route}")
                told.note({"http.route": route, "http.response.status_code": status})
                if status >= _FAULT:
                    told.fail(str(status))

    @cached_property
    def _metrics(self) -> HttpMetrics:
        return self._make_metrics()


def _route_of(scope: Scope) -> str:
    """Return the path of the route that answered, with the names of what varies in it."""
    return getattr(scope.get("route"), "path", _OTHER)

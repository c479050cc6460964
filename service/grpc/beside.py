"""Starts gRPC beside the HTTP that BentoML serves, and stops it before BentoML's own end."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.data_plane import DataPlane
from service.grpc.server import GrpcServer
from service.metrics import GrpcMetrics

log = structlog.get_logger()


class GrpcBeside:
    """ASGI middleware: gRPC begins once BentoML has started, so once it may call its services.

    BentoML's own hook runs before that.
    """

    def __init__(
        self, app: ASGIApp, plane: DataPlane, metrics: Callable[[], GrpcMetrics] = GrpcMetrics
    ) -> None:
        """Stand before BentoML's application."""
        self._app = app
        self._plane = plane
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an event on; of start and end, gRPC is told too."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        stopping: asyncio.Task[None] | None = None

        async def send_and_start(message: Message) -> None:
            nonlocal stopping
            if message["type"] == "lifespan.startup.complete":
                server = await self._start()
                stopping = asyncio.create_task(self._stop_when_told(server))
            await send(message)

        async def receive_and_stop() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and stopping is not None:
                self._plane.ending.tell()
                await stopping
            return message

        await self._app(scope, receive_and_stop, send_and_start)

    async def _stop_when_told(self, server: GrpcServer) -> None:
        """Stop at once, while HTTP answers what it has in work: both then end together."""
        await self._plane.ending.wait()
        await server.stop()

    async def _start(self) -> GrpcServer:
        try:
            # Made here, in the event loop, and after BentoML has said where figures are kept.
            server = GrpcServer(self._plane, self._metrics())
            await server.start()
        except Exception:
            # Those who called don't say why in every case, and this process ends now.
            log.exception("grpc_did_not_start")
            raise
        return server


def put_grpc_beside(service: Any, plane: DataPlane) -> None:  # noqa: ANN401  # BentoML hides its type
    """Have a BentoML service answer gRPC too, unless the port is 0."""
    if plane.settings.grpc_port:
        service.add_asgi_middleware(GrpcBeside, plane=plane)

"""Starts gRPC beside the HTTP that BentoML serves, and stops it before BentoML's own end."""

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.data_plane import DataPlane
from service.grpc.server import GrpcServer
from service.metrics import GrpcMetrics


class GrpcBeside:
    """ASGI middleware: gRPC begins once BentoML has started, so once it may call its services.

    BentoML's own hook runs before that.
    """

    def __init__(self, app: ASGIApp, plane: DataPlane) -> None:
        """Stand before BentoML's application."""
        self._app = app
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an event on; of start and end, gRPC is told too."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        # Made here, in the event loop, and after BentoML has said where figures are kept.
        server = GrpcServer(self._plane, GrpcMetrics())

        async def send_and_start(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await server.start()
            await send(message)

        async def receive_and_stop() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await server.stop()
            return message

        await self._app(scope, receive_and_stop, send_and_start)


def put_grpc_beside(service: Any, plane: DataPlane) -> None:  # noqa: ANN401  # BentoML hides its type
    """Have a BentoML service answer gRPC too, unless the port is 0."""
    if plane.settings.grpc_port:
        service.add_asgi_middleware(GrpcBeside, plane=plane)

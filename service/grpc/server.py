"""The gRPC server of a front: what it serves, what it accepts, and how it ends."""

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION
from grpc_reflection.v1alpha.reflection import enable_server_reflection

from emotion.errors import InvalidRequest
from service.data_plane import DataPlane
from service.grpc.calls import Calls
from service.grpc.health import Health
from service.grpc.inference import SERVICE_NAME, inference_handlers
from service.grpc.receiving import MOST_CALLS, Receiving
from service.metrics import GrpcMetrics
from service.settings import Settings

# Calls that are just being refused by limits of our own, which say when to try again, and count.
# Beyond all that, gRPC refuses by itself: it does neither.
_BEING_REFUSED = 1024
# A client that was silent for so long is asked whether it is still there, and has a minute to say
# so: it may hold the place of a watch, and nobody tells when its machine is gone.
_SILENT_MILLISECONDS = 60_000

log = structlog.get_logger()


class GrpcServer:
    """Serves a data plane over gRPC, from the event loop that it is made in."""

    def __init__(self, plane: DataPlane, metrics: GrpcMetrics) -> None:
        """Put the services together."""
        self._settings = plane.settings
        self._calls = Calls(metrics)
        self._health = Health(plane)
        self._server = grpc.aio.server(
            interceptors=(self._calls, Receiving()),
            options=_options(self._settings),
            maximum_concurrent_rpcs=self._settings.max_in_flight + MOST_CALLS + _BEING_REFUSED,
        )
        self._server.add_generic_rpc_handlers((inference_handlers(plane),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        enable_server_reflection((SERVICE_NAME, HEALTH, REFLECTION), self._server)

    async def start(self) -> None:
        """Listen.

        Raises:
            InvalidRequest: the port is taken.
        """
        host, port = self._settings.grpc_host, self._settings.grpc_port
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise InvalidRequest(
                f"Can't listen on {address} for gRPC. Choose another port with RAPT_GRPC_PORT."
            ) from error
        await self._server.start()
        log.info("grpc_started", address=address)

    async def stop(self) -> None:
        """Refuse new calls, and wait for those in work: by their deadline all are answered."""
        await self._health.enter_graceful_shutdown()
        self._calls.end_streams()
        # What has come and not begun would be told CANCELLED (grpc/grpc#41785).
        await self._calls.pause()
        await self._server.stop(self._settings.deadline_seconds)


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # Another worker of this service may listen on the same port.
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        # Photos are compressed already; what is unpacked isn't bounded by the length above.
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.keepalive_time_ms", _SILENT_MILLISECONDS),
    ]

"""The standard health service: SERVING while a photo would be answered now."""

import asyncio
from typing import Any

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from emotion.errors import CapacityError, ModelError
from service.data_plane import DataPlane
from service.grpc.context import Context
from service.grpc.inference import SERVICE_NAME

_LOOK_SECONDS = 1.0  # How soon a watcher is told.


class Health(health.HealthServicer):  # type: ignore[misc]  # gRPC has no types
    """Knows the server as a whole (an empty name) and the protocol's service, which are one."""

    def __init__(self, plane: DataPlane) -> None:
        """Take who knows whether it is ready."""
        super().__init__()
        self._plane = plane
        self._watchers = 0
        self._looking: asyncio.Task[None] | None = None  # one for all watchers

    async def Check(self, request: Any, context: Context) -> Any:  # noqa: ANN401, N802  # gRPC's form
        """Say how it stands now."""
        await self._look()
        return await super().Check(request, context)

    async def Watch(self, request: Any, context: Context) -> None:  # noqa: ANN401, N802  # as above
        """Say how it stands, and again whenever that changes."""
        await self._look()
        self._watchers += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            await super().Watch(request, context)
        finally:
            self._watchers -= 1
            if self._watchers == 0:
                self._looking.cancel()
                self._looking = None

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        status = health_pb2.HealthCheckResponse.SERVING
        try:
            await self._plane.check_ready()
        except (CapacityError, ModelError):
            status = health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ("", SERVICE_NAME):
            await self.set(name, status)

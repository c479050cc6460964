"""The front behind a real server in this process, for what depends on the connection."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CollectorRegistry

from service.data_plane import DataPlane
from service.http.front import create_front
from service.jobs.opener import DeskOpener
from service.metrics import HttpMetrics


@asynccontextmanager
async def served(plane: DataPlane) -> AsyncIterator[int]:
    """Serve the front as BentoML does; gives the port."""
    opener = DeskOpener(plane.settings)
    app = create_front(plane, opener, lambda: HttpMetrics(CollectorRegistry()))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as place:
        running = asyncio.create_task(server.serve([place]))
        try:
            yield int(place.getsockname()[1])
        finally:
            server.should_exit = True
            await running
            opener.close()

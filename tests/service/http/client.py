"""A client of the front in this process, with made-up stages behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from prometheus_client import CollectorRegistry

from emotion.photo import PhotoPipeline
from service.data_plane import Backend, DataPlane, Probe
from service.http.front import create_front
from service.metrics import PhotoMetrics
from service.settings import Settings
from tests.service.fake_stages import fake_pipeline

BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


async def pass_probe() -> None:
    pass


def started_plane(
    settings: Settings | None = None,
    pipeline: PhotoPipeline | None = None,
    probe: Probe = pass_probe,
) -> DataPlane:
    plane = DataPlane(settings or Settings())
    metrics = PhotoMetrics(CollectorRegistry())
    plane.start(Backend(pipeline or fake_pipeline(), probe, metrics))
    return plane


@asynccontextmanager
async def client_of(plane: DataPlane) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_front(plane), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rapt.test") as client:
        yield client


def form(*fields: tuple[str, str | None, bytes]) -> bytes:
    """A multipart body of (name, file name or None, content)."""
    parts = []
    for name, filename, content in fields:
        disposition = f'form-data; name="{name}"'
        if filename is not None:
            disposition += f'; filename="{filename}"'
        head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
        parts.append(head + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()

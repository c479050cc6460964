"""A client of the front in this process, with made-up stages behind it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from emotion.photo import PhotoPipeline
from service.data_plane import Backend, DataPlane, Probe
from service.http.front import create_front
from service.jobs.opener import DeskOpener
from service.metrics import HttpMetrics, PhotoMetrics
from service.models.registry_watch import RegistryState, registry_off
from service.models.served import ModelState
from service.settings import Settings
from tests.service.fake_stages import fake_pipeline
from tests.stages import MODEL

BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


async def pass_probe() -> ModelState:
    return ModelState(MODEL)


def started_plane(
    settings: Settings | None = None,
    pipeline: PhotoPipeline | None = None,
    probe: Probe = pass_probe,
    registry: Callable[[], RegistryState] = registry_off,
    counted_in: CollectorRegistry | None = None,
) -> DataPlane:
    plane = DataPlane(settings or Settings())
    metrics = PhotoMetrics(counted_in or CollectorRegistry())
    plane.start(Backend(pipeline or fake_pipeline(), probe, metrics, registry))
    return plane


@asynccontextmanager
async def client_of(
    plane: DataPlane, registry: CollectorRegistry | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client; HTTP is counted in ``registry``."""
    opener = DeskOpener(plane.settings)
    counted_in = registry or CollectorRegistry()
    app = create_front(plane, opener, lambda: HttpMetrics(counted_in))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://rapt.test") as client:
        try:
            yield client
        finally:
            opener.close()


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


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem in an answer, which has to be one and complete."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert list(body) == ["type", "title", "status", "detail", "instance"]
    assert body["type"] == f"urn:rapt:problem:{kind}"
    assert body["status"] == status
    assert body["instance"] == f"urn:rapt:request:{response.headers['x-request-id']}"
    return body

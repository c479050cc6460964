import asyncio
import socket
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from service.data_plane import DataPlane
from service.grpc.beside import GrpcBeside, put_grpc_beside
from service.metrics import GrpcMetrics
from service.settings import Settings
from tests.service.grpc.client import settings_of
from tests.service.http.client import started_plane


class Service:
    """A BentoML service as far as it is asked here."""

    def __init__(self) -> None:
        self.added: list[object] = []

    def add_asgi_middleware(self, middleware: object, plane: DataPlane) -> None:
        self.added.append((middleware, plane))


def own_metrics() -> GrpcMetrics:
    return GrpcMetrics(CollectorRegistry())


async def test_it_listens_from_the_applications_start_to_before_its_end() -> None:
    plane = started_plane(settings_of())
    address = ("127.0.0.1", plane.settings.grpc_port)
    seen: list[str] = []

    def listens() -> bool:
        # Not over gRPC, whose channels remember for a while that nobody answered.
        with suppress(ConnectionRefusedError), socket.create_connection(address):
            return True
        return False

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(f"starting: {listens()}")
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
        seen.append(f"{message['type']}: {listens()}")

    async def receive() -> Message:
        seen.append(f"running: {listens()}")
        return {"type": "lifespan.shutdown"}

    async def send(message: Message) -> None:
        seen.append(f"{message['type']}: {listens()}")

    await GrpcBeside(application, plane, own_metrics)({"type": "lifespan"}, receive, send)
    assert seen == [
        "starting: False",
        "lifespan.startup.complete: True",
        "running: True",
        "lifespan.shutdown: False",
    ]


async def test_it_ends_when_the_end_is_told_while_http_still_answers() -> None:
    plane = started_plane(settings_of())
    address = ("127.0.0.1", plane.settings.grpc_port)
    refused = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})
        await receive()

    async def receive() -> Message:
        plane.ending.tell()
        async with asyncio.timeout(10):
            while not refused.is_set():
                await asyncio.sleep(0.01)
                try:
                    socket.create_connection(address).close()
                except ConnectionRefusedError:
                    refused.set()
        return {"type": "lifespan.shutdown"}

    async def send(message: Message) -> None:
        pass

    await GrpcBeside(application, plane, own_metrics)({"type": "lifespan"}, receive, send)
    assert refused.is_set()


async def test_why_it_does_not_start_is_logged_and_ends_the_start() -> None:
    # Validated settings have no such value; whatever else goes wrong must not be lost either.
    settings = settings_of().model_copy(update={"max_batch_bytes": 2**31})
    sent: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})

    async def take() -> Message:
        return {}

    async def give(message: Message) -> None:
        sent.append(message)

    beside = GrpcBeside(application, DataPlane(settings), own_metrics)
    with capture_logs() as logs, pytest.raises(OverflowError):
        await beside({"type": "lifespan"}, take, give)
    assert [one["event"] for one in logs] == ["grpc_did_not_start"]
    assert sent == []


async def test_requests_are_passed_on() -> None:
    seen: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def take() -> Message:
        return {}

    async def give(message: Message) -> None:
        pass

    await GrpcBeside(application, started_plane())({"type": "http"}, take, give)
    assert seen == [{"type": "http"}]


@pytest.mark.parametrize(("port", "added"), [(0, []), (3001, [GrpcBeside])])
def test_there_is_no_grpc_where_the_port_is_0(port: int, added: list[object]) -> None:
    service, plane = Service(), started_plane(Settings(grpc_port=port))
    put_grpc_beside(service, plane)
    assert service.added == [(one, plane) for one in added]

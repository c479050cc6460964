"""Clients that go away from a real server before they have an answer."""

import asyncio
import logging

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message
from structlog.testing import capture_logs

from emotion.photo import PhotoPipeline
from service.data_plane import Backend, DataPlane
from service.http.disconnects import until_disconnect
from service.metrics import PhotoMetrics
from service.settings import Settings
from tests.service.fake_stages import StuckDetector
from tests.service.http.client import MULTIPART, form, pass_probe
from tests.service.http.served_front import served
from tests.stages import FakeClassifier

RAW = ("/v1/photos", "image/jpeg", b"a")
FORM = ("/v1/photos", MULTIPART, form(("photo", "x", b"a")))
BATCH = ("/v1/photos:batch", MULTIPART, form(("photo", "x", b"a"), ("photo", "y", b"b")))
INFER = (
    "/v2/models/emotion/infer",
    "application/json",
    b'{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["YQ=="]}]}',
)


def plane_of(detector: StuckDetector, registry: CollectorRegistry) -> DataPlane:
    plane = DataPlane(Settings(max_in_flight=1))
    pipeline = PhotoPipeline(detector, FakeClassifier())
    plane.start(Backend(pipeline, pass_probe, PhotoMetrics(registry)))
    return plane


async def connect(port: int, path: str, kind: str, length: int) -> asyncio.StreamWriter:
    """Send the head of a request."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {kind}"]
    writer.write("\r\n".join([*head, f"Content-Length: {length}", "", ""]).encode())
    return writer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def until_nothing_is_in_flight(registry: CollectorRegistry) -> None:
    async with asyncio.timeout(5):
        while registry.get_sample_value("rapt_requests_in_flight") != 0:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("path", "kind", "body"), [RAW, FORM, BATCH, INFER])
async def test_the_work_ends_and_the_place_is_free_when_the_client_hangs_up(
    path: str,
    kind: str,
    body: bytes,
    registry: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck = StuckDetector()
    with capture_logs() as logs, caplog.at_level(logging.ERROR):
        async with served(plane_of(stuck, registry)) as port:
            writer = await connect(port, path, kind, len(body))
            writer.write(body)
            await asyncio.wait_for(stuck.asked.wait(), 5)
            await hang_up(writer)
            await asyncio.wait_for(stuck.ended.wait(), 5)
            await until_nothing_is_in_flight(registry)
    assert [one["event"] for one in logs] == ["client_hung_up"]
    assert caplog.records == []
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": "ClientGone"}) == 1


@pytest.mark.parametrize(("path", "kind", "body"), [RAW, FORM, BATCH, INFER])
async def test_so_it_is_when_the_body_is_not_all_there(
    path: str,
    kind: str,
    body: bytes,
    registry: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck = StuckDetector()
    with capture_logs() as logs, caplog.at_level(logging.ERROR):
        async with served(plane_of(stuck, registry)) as port:
            writer = await connect(port, path, kind, len(body) + 1)
            writer.write(body)
            async with asyncio.timeout(5):
                while registry.get_sample_value("rapt_requests_in_flight") != 1:
                    await asyncio.sleep(0.01)
            await hang_up(writer)
            await until_nothing_is_in_flight(registry)
    assert not stuck.asked.is_set()
    assert [one["event"] for one in logs] == ["client_hung_up"]
    assert caplog.records == []
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": "ClientGone"}) == 1


def request_of(*messages: Message) -> Request:
    """A request of a client that says this, and nothing more."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_a_client_that_stays_is_answered_and_no_task_is_left() -> None:
    request = request_of({"type": "http.request", "body": b"a", "more_body": False})
    before = asyncio.all_tasks()
    async with until_disconnect(request) as connected:
        assert await connected.body() == b"a"
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_an_error_of_the_block_is_passed_on() -> None:
    with pytest.raises(TimeoutError, match="its own"):
        async with until_disconnect(request_of()):
            raise TimeoutError("its own")


async def test_after_a_body_only_the_end_of_the_connection_counts() -> None:
    nothing = {"type": "http.request", "body": b"", "more_body": False}
    request = request_of(nothing, nothing, {"type": "http.disconnect"})

    async def answer() -> None:
        async with asyncio.timeout(5), until_disconnect(request) as connected:
            await connected.body()
            await asyncio.Event().wait()

    with pytest.raises(ClientDisconnect):
        await answer()

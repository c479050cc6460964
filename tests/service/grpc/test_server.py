import asyncio
import re
import socket
import struct
import time
from contextlib import ExitStack

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from prometheus_client import CollectorRegistry
from tritonclient.grpc import service_pb2 as pb

from emotion.errors import InvalidRequest
from emotion.photo import PhotoPipeline
from service.data_plane import DataPlane
from service.grpc import server as server_module
from service.grpc.server import GrpcServer
from service.metrics import GrpcMetrics
from service.settings import Settings
from tests.service.fake_stages import StuckDetector, photo_of
from tests.service.grpc.client import (
    INFER,
    asking,
    channel_of,
    failure_of,
    serving,
    settings_of,
    stub_of,
)
from tests.service.http.client import started_plane
from tests.stages import FakeClassifier

Code = grpc.StatusCode


def services_of(target: str) -> tuple[list[str], list[str]]:
    """The services that reflection knows, and the calls of the protocol's."""
    with grpc.insecure_channel(target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        names = list(database.get_services())
        service = DescriptorPool(database).FindServiceByName("inference.GRPCInferenceService")
        return names, [method.name for method in service.methods]


DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6  # kinds of frames of HTTP/2


async def next_ping(reader: asyncio.StreamReader) -> bytes:
    while True:
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3]))
        if head[3] == PING and head[4] == 0:
            return payload


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack(">IBI", (len(payload) << 8) | kind, flags, stream) + payload


def headers_of(path: str) -> bytes:
    """A call's headers, each a literal that is not indexed (RFC 7541, section 6.2.2)."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "rapt.test",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(
        bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )


async def test_reflection_tells_what_is_served() -> None:
    plane = started_plane(settings_of())
    async with serving(plane):
        target = f"127.0.0.1:{plane.settings.grpc_port}"
        names, methods = await asyncio.to_thread(services_of, target)
    assert names == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "inference.GRPCInferenceService",
    ]
    assert "ModelInfer" in methods


@pytest.mark.parametrize("method", ["RepositoryModelUnload", "ModelConfig", "MadeUp"])
async def test_what_is_not_served_is_unimplemented(method: str) -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(b"")
        assert (await failure_of(call))[0] is Code.UNIMPLEMENTED


async def test_a_message_may_be_as_large_as_a_batch() -> None:
    plane = started_plane(settings_of(max_bytes=1000, max_batch_bytes=1000))
    async with channel_of(plane) as channel:
        await stub_of(channel).ModelInfer(asking(photo_of(1)))
        assert (await failure_of(channel.unary_unary(INFER)(bytes(66_536))))[
            0
        ] is Code.INVALID_ARGUMENT
        failure = await failure_of(channel.unary_unary(INFER)(bytes(66_537)))
    assert failure[0] is Code.RESOURCE_EXHAUSTED
    assert "larger than max (66537 vs. 66536)" in failure[1]


async def test_compressed_messages_are_not_unpacked() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        call = stub_of(channel).ModelInfer(
            asking(bytes(100_000)), compression=grpc.Compression.Gzip
        )
        failure = await failure_of(call)
    # docs/operations.md tells what to do about it.
    assert failure[:2] == (Code.UNIMPLEMENTED, "Compression algorithm 'gzip' is disabled.")


async def test_calls_beyond_all_limits_of_our_own_are_bounded_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "MOST_CALLS", 0)
    monkeypatch.setattr(server_module, "_BEING_REFUSED", 1)
    async with channel_of(started_plane(settings_of(max_in_flight=1))) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(2)]
        for watch in watches:
            await watch.read()
        call = stub_of(channel).ServerLive(pb.ServerLiveRequest())
        assert (await failure_of(call))[0] is Code.RESOURCE_EXHAUSTED


async def test_who_watches_is_asked_whether_it_is_still_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "_SILENT_MILLISECONDS", 100)
    plane = started_plane(settings_of())
    async with serving(plane), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", plane.settings.grpc_port)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS))
        writer.write(frame(HEADERS, 4, 1, headers_of("/grpc.health.v1.Health/Watch")))
        writer.write(frame(DATA, 0, 1, bytes(5)))
        # The first ping comes with every call, and measures the connection.
        for _ in range(2):
            writer.write(frame(PING, 1, 0, await next_ping(reader)))
        writer.close()
        await writer.wait_closed()


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        plane = started_plane(Settings(grpc_port=port))
        server = GrpcServer(plane, GrpcMetrics(CollectorRegistry()))
        expected = re.escape(f"Can't listen on 127.0.0.1:{port} for gRPC.")
        with pytest.raises(InvalidRequest, match=f"^{expected}"):
            await server.start()


async def test_an_address_of_ipv6_will_do() -> None:
    plane = started_plane(settings_of(grpc_host="::1"))
    target = f"[::1]:{plane.settings.grpc_port}"
    async with serving(plane), grpc.aio.insecure_channel(target) as channel:
        assert (await stub_of(channel).ServerLive(pb.ServerLiveRequest())).live


async def test_before_the_service_is_started_it_lives_and_is_not_ready() -> None:
    async with channel_of(DataPlane(settings_of())) as channel:
        stub = stub_of(channel)
        assert (await stub.ServerLive(pb.ServerLiveRequest())).live
        assert not (await stub.ServerReady(pb.ServerReadyRequest())).ready
        failure = await failure_of(stub.ModelInfer(asking(photo_of(1))))
    assert failure[:2] == (Code.UNAVAILABLE, "The service is starting. Try again shortly.")


async def test_at_the_end_what_is_in_work_is_answered_and_no_more_taken() -> None:
    stuck = StuckDetector()
    plane = started_plane(settings_of(deadline_seconds=3), PhotoPipeline(stuck, FakeClassifier()))
    target = f"127.0.0.1:{plane.settings.grpc_port}"
    async with serving(plane) as server, grpc.aio.insecure_channel(target) as channel:
        in_work = asyncio.ensure_future(failure_of(stub_of(channel).ModelInfer(asking(b"a"))))
        await stuck.asked.wait()
        ending = asyncio.create_task(server.stop())
        await asyncio.sleep(1)
        late = await failure_of(stub_of(channel).ServerLive(pb.ServerLiveRequest()))
        assert late[0] is Code.UNAVAILABLE
        assert not in_work.done()
        # It had its time, and its own answer.
        assert (await in_work)[0] is Code.DEADLINE_EXCEEDED
        await ending


async def test_what_came_while_the_event_loop_was_busy_is_answered_at_the_end() -> None:
    plane = started_plane(settings_of())
    target = f"127.0.0.1:{plane.settings.grpc_port}"
    with ExitStack() as held:
        async with serving(plane) as server:
            channels = [held.enter_context(grpc.insecure_channel(target)) for _ in range(8)]
            for channel in channels:
                await asyncio.to_thread(grpc.channel_ready_future(channel).result)
            # Sent by threads, and here nothing is looked at meanwhile.
            message = asking(photo_of(1)).SerializeToString()
            calls = [channel.stream_unary(INFER).future(iter([message])) for channel in channels]
            time.sleep(0.5)  # as something that computes
            await server.stop()
        assert [call.exception(10) for call in calls] == [None] * 8


async def test_calls_that_do_not_stop_coming_do_not_hold_up_the_end() -> None:
    plane = started_plane(settings_of())
    target = f"127.0.0.1:{plane.settings.grpc_port}"

    async def ask_until_refused(channel: grpc.aio.Channel) -> object:
        while True:
            try:
                await stub_of(channel).ServerLive(pb.ServerLiveRequest())
            except grpc.aio.AioRpcError as error:
                return error.code()

    async with serving(plane) as server, grpc.aio.insecure_channel(target) as channel:
        asking_on = [asyncio.create_task(ask_until_refused(channel)) for _ in range(8)]
        await asyncio.sleep(0.2)
        await server.stop()
        assert set(await asyncio.gather(*asking_on)) <= {Code.UNAVAILABLE, Code.CANCELLED}


async def test_who_watches_does_not_hold_up_the_end() -> None:
    plane = started_plane(settings_of())
    target = f"127.0.0.1:{plane.settings.grpc_port}"
    async with serving(plane) as server, grpc.aio.insecure_channel(target) as channel:
        watch = aiter(health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()))
        await anext(watch)
        began = time.perf_counter()
        await server.stop()
        assert time.perf_counter() - began < 2
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            _ = [status async for status in watch]
        assert failure.value.code() is Code.UNAVAILABLE
        assert failure.value.details() == "The service is ending."

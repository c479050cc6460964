import asyncio
from collections.abc import Callable
from functools import partial

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry
from tritonclient.grpc import service_pb2 as pb

from service import data_plane
from service.grpc import receiving
from service.grpc.context import Context
from service.models.served import ModelState
from tests.service.fake_stages import photo_of
from tests.service.grpc.client import asking, channel_of, failure_of, settings_of, stub_of
from tests.service.http.client import started_plane
from tests.stages import MODEL

Code = grpc.StatusCode
LIVE = "/inference.GRPCInferenceService/ServerLive"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
LIST = reflection_pb2.ServerReflectionRequest(list_services="")
CHECK = health_pb2.HealthCheckRequest()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


class TellingRoom(receiving._Room):
    """Tells of the first call that takes one of its places."""

    def __init__(self, is_taken: asyncio.Event, places: int, calls: int, what: str) -> None:
        super().__init__(places, calls, what)
        self._is_taken = is_taken

    async def take(self, context: Context) -> bytes:
        # Nothing comes in between before the place is taken.
        self._is_taken.set()
        return await super().take(context)


async def is_refused(watch: grpc.aio.UnaryStreamCall) -> bool:
    answer = (await asyncio.gather(watch.read(), return_exceptions=True))[0]
    return isinstance(answer, grpc.aio.AioRpcError) and answer.code() is Code.RESOURCE_EXHAUSTED


async def test_a_message_of_another_type_is_an_invalid_argument() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        failure = await failure_of(channel.unary_unary(LIVE)(b"\xff\xff"))
    assert failure[:2] == (Code.INVALID_ARGUMENT, "The message is not of this call's type.")


async def test_a_message_that_is_large_is_an_invalid_argument() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        failure = await failure_of(channel.unary_unary(LIVE)(bytes(65_537)))
        assert failure[:2] == (Code.INVALID_ARGUMENT, "The message has more than 65,536 bytes.")


async def test_a_call_without_a_message_is_an_invalid_argument() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        failure = await failure_of(channel.stream_unary(LIVE)(iter(())))
    assert failure[:2] == (Code.INVALID_ARGUMENT, "The call ended without a message.")


async def test_a_message_is_waited_for_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_SECONDS", 0.1)
    async with channel_of(started_plane(settings_of())) as channel:
        failure = await failure_of(channel.stream_unary(LIVE)())
    assert failure[:2] == (Code.DEADLINE_EXCEEDED, "No message came within 0 s.")


async def test_calls_whose_messages_do_not_come_take_all_places_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_taken = asyncio.Event()
    monkeypatch.setattr(receiving, "_Room", partial(TellingRoom, is_taken))
    monkeypatch.setattr(receiving, "_SECONDS", 0.5)
    monkeypatch.setattr(receiving, "_PLACES", 1)
    async with channel_of(started_plane(settings_of())) as channel:
        slow = channel.stream_unary(LIVE)()
        await is_taken.wait()
        monkeypatch.setattr(receiving, "_SECONDS", 60.0)
        quick = stub_of(channel).ServerLive(pb.ServerLiveRequest())
        assert (await failure_of(slow))[0] is Code.DEADLINE_EXCEEDED
        assert (await quick).live


async def test_calls_whose_messages_do_not_come_are_refused_once_there_are_many(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_SECONDS", 60.0)
    async with channel_of(started_plane(settings_of()), registry) as channel:
        slow = [channel.stream_unary(LIVE)() for _ in range(400)]
        await until(lambda: sum(call.done() for call in slow) == 400 - 128)
        refused = [call for call in slow if call.done()]
        assert {(await call.code(), await call.details()) for call in refused} == {
            (
                Code.RESOURCE_EXHAUSTED,
                "All 128 places for small calls are taken. Try again shortly.",
            )
        }
        assert dict(await refused[0].trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
        # Photos and probes have room of their own.
        await stub_of(channel).ModelInfer(asking(photo_of(1)))
        answer = await health_pb2_grpc.HealthStub(channel).Check(CHECK)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        for call in slow:
            call.cancel()
    labels = {"method": "ServerLive", "code": "RESOURCE_EXHAUSTED"}
    assert registry.get_sample_value("rapt_grpc_calls_total", labels) == 400 - 128


async def test_calls_that_wait_for_their_answer_are_bounded_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiving, "_SECONDS", 60.0)
    monkeypatch.setattr(data_plane, "_PROBE_SECONDS", 60.0)
    go_on = asyncio.Event()

    async def probe() -> ModelState:
        await go_on.wait()
        return ModelState(MODEL)

    async with channel_of(started_plane(settings_of(), probe=probe)) as channel:
        stub = stub_of(channel)
        calls = [stub.ServerReady(pb.ServerReadyRequest()) for _ in range(200)]
        await until(lambda: sum(call.done() for call in calls) == 200 - 128)
        go_on.set()
        assert sum([await call.code() is Code.OK for call in calls]) == 128


async def test_there_are_so_many_watches_at_once_and_room_beside_them(
    registry: CollectorRegistry,
) -> None:
    async with channel_of(started_plane(settings_of()), registry) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(CHECK) for _ in range(320)]
        answers = await asyncio.gather(*[one.read() for one in watches], return_exceptions=True)
        failures = [one for one in answers if isinstance(one, grpc.aio.AioRpcError)]
        assert len(failures) == 320 - 64
        assert {(one.code(), one.details()) for one in failures} == {
            (Code.RESOURCE_EXHAUSTED, "All 64 places for watches are taken. Try again shortly.")
        }
        assert (await stub_of(channel).ServerLive(pb.ServerLiveRequest())).live
        assert (await stub.Check(CHECK)).status == health_pb2.HealthCheckResponse.SERVING
        await stub_of(channel).ModelInfer(asking(photo_of(1)))
    labels = {"method": "Watch", "code": "RESOURCE_EXHAUSTED"}
    assert registry.get_sample_value("rapt_grpc_calls_total", labels) == 320 - 64


async def test_who_stops_watching_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_WATCHES", 1)
    async with channel_of(started_plane(settings_of())) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        first = stub.Watch(CHECK)
        await first.read()
        assert await is_refused(stub.Watch(CHECK))
        first.cancel()
        async with asyncio.timeout(30):
            while await is_refused(stub.Watch(CHECK)):
                await asyncio.sleep(0.01)


async def test_a_stream_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_CONVERSATION_SECONDS", 0.2)
    async with channel_of(started_plane(settings_of())) as channel:
        stream = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
        await stream.write(LIST)
        assert (await stream.read()).HasField("list_services_response")
        with pytest.raises(grpc.aio.AioRpcError, match="A stream ends after 0 s"):
            await stream.read()
        assert await stream.code() is Code.DEADLINE_EXCEEDED


async def test_there_are_few_streams_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_CONVERSATIONS", 1)
    async with channel_of(started_plane(settings_of())) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        first = stub.ServerReflectionInfo()
        await first.write(LIST)
        await first.read()
        second = stub.ServerReflectionInfo()
        await second.wait_for_connection()
        assert await second.code() is Code.RESOURCE_EXHAUSTED
        await first.done_writing()
        assert await first.code() is Code.OK
        third = stub.ServerReflectionInfo(iter([LIST]))
        assert [one.HasField("list_services_response") async for one in third] == [True]


async def test_a_streams_message_of_another_type_is_an_invalid_argument() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        stream = channel.stream_stream(REFLECTION)(iter([b"\xff\xff"]))
        assert await stream.code() is Code.INVALID_ARGUMENT
        assert await stream.details() == "A message of the stream can't be read."

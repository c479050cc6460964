import asyncio

import grpc
import grpc.aio
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tritonclient.grpc import service_pb2 as pb

from service.grpc import receiving
from tests.service.grpc.client import channel_of, failure_of, settings_of, stub_of
from tests.service.http.client import started_plane

Code = grpc.StatusCode
LIVE = "/inference.GRPCInferenceService/ServerLive"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
LIST = reflection_pb2.ServerReflectionRequest(list_services="")


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
    monkeypatch.setattr(receiving, "_SECONDS", 0.5)
    monkeypatch.setattr(receiving, "_PLACES", 1)
    async with channel_of(started_plane(settings_of())) as channel:
        slow = channel.stream_unary(LIVE)()
        await slow.wait_for_connection()
        await asyncio.sleep(0.2)
        quick = stub_of(channel).ServerLive(pb.ServerLiveRequest())
        assert (await failure_of(slow))[0] is Code.DEADLINE_EXCEEDED
        assert (await quick).live


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

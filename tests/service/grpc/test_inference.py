import asyncio

import grpc
import grpc.aio
import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tritonclient.grpc import service_pb2 as pb

from emotion.errors import ModelUnavailable, Overloaded, RaptError
from emotion.photo import PhotoPipeline
from service.models.served import ModelState
from tests.service.fake_stages import (
    BAD_PHOTO,
    FailingDetector,
    StuckDetector,
    fake_pipeline,
    photo_of,
)
from tests.service.grpc.client import INFER, asking, channel_of, failure_of, settings_of, stub_of
from tests.service.http.client import started_plane
from tests.stages import FakeClassifier

Code = grpc.StatusCode


async def fail() -> ModelState:
    raise ModelUnavailable("The detector is down.")


async def test_photos_are_answered() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        response = await stub_of(channel).ModelInfer(asking(photo_of(2), photo_of(1), id="r1"))
    assert (response.model_name, response.model_version, response.id) == (
        "emotion",
        "fake-1",
        "r1",
    )
    assert [output.name for output in response.outputs] == [
        "boxes",
        "scores",
        "probabilities",
        "labels",
        "image_index",
    ]
    np.testing.assert_array_equal(
        np.frombuffer(response.raw_output_contents[4], dtype=np.int32), [0, 0, 1]
    )


async def test_what_is_ready_says_so() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        stub = stub_of(channel)
        assert (await stub.ServerLive(pb.ServerLiveRequest())).live
        assert (await stub.ServerReady(pb.ServerReadyRequest())).ready
        for version in ("", "fake-1"):
            request = pb.ModelReadyRequest(name="emotion", version=version)
            assert (await stub.ModelReady(request)).ready


async def test_what_is_not_ready_says_so() -> None:
    async with channel_of(started_plane(settings_of(), probe=fail)) as channel:
        stub = stub_of(channel)
        assert (await stub.ServerLive(pb.ServerLiveRequest())).live
        assert not (await stub.ServerReady(pb.ServerReadyRequest())).ready
        assert not (await stub.ModelReady(pb.ModelReadyRequest(name="emotion"))).ready
        failure = await failure_of(stub.ModelMetadata(pb.ModelMetadataRequest(name="emotion")))
        assert failure[:2] == (Code.UNAVAILABLE, "The detector is down.")


@pytest.mark.parametrize(("name", "version"), [("mood", ""), ("", ""), ("emotion", "2")])
async def test_a_model_that_is_not_served_is_not_ready_and_has_no_metadata(
    name: str, version: str
) -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        stub = stub_of(channel)
        assert not (await stub.ModelReady(pb.ModelReadyRequest(name=name, version=version))).ready
        request = pb.ModelMetadataRequest(name=name, version=version)
        assert (await failure_of(stub.ModelMetadata(request)))[0] is Code.INVALID_ARGUMENT


async def test_metadata_is_given() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        server = await stub_of(channel).ServerMetadata(pb.ServerMetadataRequest())
        model = await stub_of(channel).ModelMetadata(pb.ModelMetadataRequest(name="emotion"))
    assert (server.name, list(server.extensions)) == ("rapt", ["binary_tensor_data"])
    assert list(model.versions) == ["fake-1"]
    assert [list(one.shape) for one in model.outputs] == [[-1, 4], [-1], [-1, 7], [-1], [-1]]


async def test_a_bad_photo_fails_the_call_and_is_named() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        code, message, metadata = await failure_of(
            stub_of(channel).ModelInfer(asking(photo_of(1), BAD_PHOTO))
        )
    assert code is Code.INVALID_ARGUMENT
    assert message == "image[1]: These bytes say nothing about faces."
    assert list(metadata) == ["x-request-id"]


async def test_a_message_that_is_none_is_an_invalid_argument() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        call = channel.unary_unary(INFER)(b"Dear server")
        assert (await failure_of(call))[:2] == (
            Code.INVALID_ARGUMENT,
            "The message is no ModelInferRequest.",
        )


async def test_a_call_without_a_message_is_an_invalid_argument() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        call = channel.stream_unary(INFER)(iter(()))
        assert (await failure_of(call))[:2] == (
            Code.INVALID_ARGUMENT,
            "The call ended without a message.",
        )


@pytest.mark.parametrize(
    ("error", "code", "seconds"),
    [
        (Overloaded("full", 1.2), Code.RESOURCE_EXHAUSTED, "2"),
        (ModelUnavailable("gone"), Code.UNAVAILABLE, "10"),
    ],
)
async def test_what_may_pass_says_when_to_try_again(
    error: RaptError, code: grpc.StatusCode, seconds: str
) -> None:
    pipeline = PhotoPipeline(FailingDetector(error), FakeClassifier())
    async with channel_of(started_plane(settings_of(), pipeline)) as channel:
        failure = await failure_of(stub_of(channel).ModelInfer(asking(b"a")))
    assert failure[:2] == (code, error.message)
    assert failure[2]["retry-after"] == seconds
    assert failure[2]["grpc-retry-pushback-ms"] == f"{seconds}000"


async def test_past_the_services_deadline_it_is_deadline_exceeded() -> None:
    stuck = StuckDetector()
    plane = started_plane(
        settings_of(deadline_seconds=0.05), PhotoPipeline(stuck, FakeClassifier())
    )
    async with channel_of(plane) as channel:
        failure = await failure_of(stub_of(channel).ModelInfer(asking(b"a")))
        assert failure[0] is Code.DEADLINE_EXCEEDED
        assert "not ready in time" in failure[1]
    assert stuck.ended.is_set()


async def test_the_clients_deadline_is_the_works() -> None:
    detector = StuckDetector()
    plane = started_plane(settings_of(), PhotoPipeline(detector, FakeClassifier()))
    async with channel_of(plane) as channel:
        call = stub_of(channel).ModelInfer(asking(b"a"), timeout=1.0)
        assert (await failure_of(call))[0] is Code.DEADLINE_EXCEEDED
        async with asyncio.timeout(5):
            await detector.ended.wait()


async def test_a_client_that_goes_away_stops_the_work_and_frees_its_place() -> None:
    detector = StuckDetector()
    plane = started_plane(settings_of(max_in_flight=1), PhotoPipeline(detector, FakeClassifier()))
    registry = CollectorRegistry()
    async with channel_of(plane, registry) as channel:
        call = stub_of(channel).ModelInfer(asking(b"a"))
        waiting = asyncio.ensure_future(call)
        await detector.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with asyncio.timeout(5):
            await detector.ended.wait()
        async with plane.request():
            pass
    labels = {"method": "ModelInfer", "code": "CANCELLED"}
    assert registry.get_sample_value("rapt_grpc_calls_total", labels) == 1


async def test_a_message_that_never_comes_holds_a_place_until_the_deadline_only() -> None:
    plane = started_plane(settings_of(max_in_flight=1, deadline_seconds=0.3), fake_pipeline())
    async with channel_of(plane) as channel:
        slow = channel.stream_unary(INFER)()
        await slow.wait_for_connection()
        refused = None
        while refused is not Code.RESOURCE_EXHAUSTED:  # once the slow one has its place
            try:
                await stub_of(channel).ModelInfer(asking(photo_of(1)))
                await asyncio.sleep(0.005)
            except grpc.aio.AioRpcError as error:
                refused = error.code()
        assert (await failure_of(slow))[0] is Code.DEADLINE_EXCEEDED
        await stub_of(channel).ModelInfer(asking(photo_of(1)))


async def test_messages_are_counted_among_the_bytes_in_flight() -> None:
    plane = started_plane(
        settings_of(max_bytes=500, max_batch_bytes=1000, max_bytes_in_flight=1000)
    )
    async with channel_of(plane) as channel:
        await stub_of(channel).ModelInfer(asking(photo_of(1)))
        failure = await failure_of(stub_of(channel).ModelInfer(asking(bytes(1000))))
    assert failure[0] is Code.RESOURCE_EXHAUSTED
    assert failure[1].startswith("Too much is being uploaded at once.")


async def test_a_version_in_a_request_is_the_one_that_answers() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        stub = stub_of(channel)
        assert (await stub.ModelInfer(asking(photo_of(0), model_version="fake-1"))).model_version
        failure = await failure_of(stub.ModelInfer(asking(photo_of(0), model_version="1")))
    assert failure[0] is Code.INVALID_ARGUMENT
    assert "Version '1' of 'emotion' is not served" in failure[1]


async def test_a_bug_is_internal_and_names_nothing() -> None:
    pipeline = PhotoPipeline(FailingDetector(ZeroDivisionError("secret")), FakeClassifier())
    async with channel_of(started_plane(settings_of(), pipeline)) as channel:
        failure = await failure_of(stub_of(channel).ModelInfer(asking(b"a")))
    assert failure[:2] == (
        Code.INTERNAL,
        "An unexpected error; the server's log has it under this request's id.",
    )

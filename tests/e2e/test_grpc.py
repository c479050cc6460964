"""gRPC in the running service: limits, deadlines, hostile input, and its end."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2_grpc

from tests.e2e.servers import Server, rapt, until
from tests.e2e.uploads import uploading
from tests.pictures import crowd, encode
from tests.service.grpc.client import INFER, asking

Code = grpc.StatusCode
MEBIBYTE = 2**20
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="session")
def work() -> list[bytes]:
    """Photos of hundreds of faces, which take a while."""
    return [encode(crowd(), "JPEG", quality=90)] * 4


def refusal(channel: grpc.Channel, message: bytes) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    with pytest.raises(grpc.RpcError) as failure:
        channel.unary_unary(INFER)(message, timeout=30)
    call = failure.value
    return call.code(), call.details(), dict(call.trailing_metadata() or ())


def infer(channel: grpc.Channel, *photos: bytes, **options: float) -> Future[object]:
    future: Future[object] = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer.future(
        asking(*photos), **options
    )
    return future


@contextmanager
def open_ended(channel: grpc.Channel) -> Iterator[grpc.Future]:
    """A call whose message isn't sent while the block runs."""
    may_end = threading.Event()

    def messages() -> Iterator[bytes]:
        may_end.wait()
        yield from ()

    try:
        yield channel.stream_unary(INFER).future(messages())
    finally:
        may_end.set()


def in_flight(server: Server) -> float:
    return server.metric("rapt_requests_in_flight")


@pytest.mark.usefixtures("still_answers")
@pytest.mark.parametrize(
    "message",
    [
        b"Dear server,\n" * 99,
        b"\x3a\xff\xff\xff\xff\x0fabc",
        asking(b"a").SerializeToString()[:-1],
        asking(b"a", raw_input_contents=[b"\xff\xff\xff\xffa"]).SerializeToString(),
        asking(b"a", model_name="x" * 60_000).SerializeToString(),
        asking(*[b""] * 10_000).SerializeToString(),
        asking(b"").SerializeToString(),
    ],
    ids=["text", "length", "cut", "element", "name", "many", "empty"],
)
def test_hostile_messages_are_invalid_arguments(server: Server, message: bytes) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        code, details, metadata = refusal(channel, message)
    assert code is Code.INVALID_ARGUMENT
    assert 0 < len(details) < 300
    assert "x-request-id" in metadata
    assert not any("Traceback" in line for line in server.lines)


@pytest.mark.usefixtures("still_answers")
def test_a_message_that_unfolds_in_memory_is_not_parsed(server: Server) -> None:
    before = server.memory()
    with grpc.insecure_channel(server.grpc_target) as channel:
        refused = [refusal(channel, b"\x2a\x00" * (16 * MEBIBYTE)) for _ in range(3)]
    assert {code for code, *_ in refused} == {Code.INVALID_ARGUMENT}
    # Parsed, each would take 1.4 GB. Of 32 MiB some is kept for a while by who keeps freed memory.
    assert server.memory() - before < 400 * MEBIBYTE


@pytest.mark.usefixtures("still_answers")
def test_a_message_larger_than_a_batch_is_refused(server: Server) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        code, details, _ = refusal(channel, bytes(65 * MEBIBYTE))
    assert code is Code.RESOURCE_EXHAUSTED
    assert "larger than max" in details


async def test_64_clients_at_once(server: Server, face_jpeg: bytes) -> None:
    async with grpc.aio.insecure_channel(server.grpc_target) as channel:
        call = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
        answers = await asyncio.gather(*(call(asking(face_jpeg)) for _ in range(64)))
    assert {answer.raw_output_contents[3] for answer in answers} == {b"\x05\0\0\0happy"}


def test_a_client_that_goes_away_frees_its_place(server: Server, work: list[bytes]) -> None:
    answered = server.metric("rapt_photos_total")
    with grpc.insecure_channel(server.grpc_target) as channel:
        call = infer(channel, *work)
        until(lambda: in_flight(server) == 1, 10)
        call.cancel()
    until(lambda: in_flight(server) == 0, 5)
    assert server.metric("rapt_photos_total") == answered


def test_the_clients_deadline_is_kept(server: Server, work: list[bytes]) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        error = infer(channel, *work, timeout=0.2).exception(30)
    assert isinstance(error, grpc.RpcError)
    assert error.code() is Code.DEADLINE_EXCEEDED
    until(lambda: in_flight(server) == 0, 5)


def test_http_and_grpc_have_one_limit(folder: Path, face_jpeg: bytes) -> None:
    with (
        rapt("inline", folder, RAPT_MAX_IN_FLIGHT="1") as server,
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        headers = ("content-type: image/jpeg", f"content-length: {len(face_jpeg)}")
        with uploading(server.port, *headers) as upload:
            upload.send(face_jpeg[:1000])
            until(lambda: in_flight(server) == 1, 10)
            code, details, metadata = refusal(channel, asking(face_jpeg).SerializeToString())
            assert (code, details) == (
                Code.RESOURCE_EXHAUSTED,
                "All 1 places for requests are taken. Try again shortly.",
            )
            assert metadata["grpc-retry-pushback-ms"] == "1000"
            assert (
                health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status
                == SERVING
            )
            upload.send(face_jpeg[1000:])
            assert upload.status() == 200
        with open_ended(channel) as call:
            until(lambda: in_flight(server) == 1, 10)
            refused = server.post(face_jpeg)
            assert refused.status_code == 503
            call.cancel()
        until(lambda: in_flight(server) == 0, 10)
        assert server.post(face_jpeg).status_code == 200


def test_past_the_services_deadline_it_is_deadline_exceeded(folder: Path, face_jpeg: bytes) -> None:
    with (
        rapt("inline", folder, RAPT_DEADLINE_SECONDS="0.0001") as server,
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        for _ in range(5):
            code, details, _ = refusal(channel, asking(face_jpeg).SerializeToString())
            assert code is Code.DEADLINE_EXCEEDED
            assert "not ready in time" in details
        assert server.metric("rapt_photos_total") == 0
        assert in_flight(server) == 0
        assert server.metric("rapt_grpc_calls_total") == 5


@pytest.mark.parametrize("server", ["runners"], indirect=True)
def test_a_killed_model_is_unavailable_until_it_is_back(server: Server, face_jpeg: bytes) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == SERVING
        server.member("--service-name FaceDetector").kill()
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        error = infer(channel, face_jpeg).exception(30)
        if error is not None:  # it waits for the process, or is told
            assert isinstance(error, grpc.RpcError)
            assert error.code() in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED)
            assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"]
        assert next(watch).status == SERVING
        assert infer(channel, face_jpeg).exception(30) is None
        watch.cancel()


def test_what_is_in_work_at_the_end_is_answered(folder: Path, work: list[bytes]) -> None:
    with (
        rapt("inline", folder) as server,
        grpc.insecure_channel(server.grpc_target) as channel,
    ):
        call = infer(channel, *work)
        until(lambda: in_flight(server) == 1, 10)
        server.process.send_signal(signal.SIGTERM)
        assert call.exception(60) is None
        assert server.process.wait(40) == 0


def test_there_is_no_grpc_where_the_port_is_0(folder: Path, face_jpeg: bytes) -> None:
    with rapt("inline", folder, RAPT_GRPC_PORT="0") as server:
        assert server.post(face_jpeg).status_code == 200
        assert not any("gRPC: " in line for line in server.lines)

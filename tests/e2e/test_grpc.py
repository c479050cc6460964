"""gRPC in the running service: limits, deadlines, hostile input, and its end."""

import asyncio
import signal
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2_grpc

from tests.e2e.grpc_calls import infer, refusal_of
from tests.e2e.servers import Server, rapt, until
from tests.pictures import crowd, encode
from tests.service.grpc.client import asking

Code = grpc.StatusCode
MEBIBYTE = 2**20
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="session")
def work() -> list[bytes]:
    """Photos of hundreds of faces, which take a while."""
    return [encode(crowd(), "JPEG", quality=90)] * 3


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
        code, details, metadata = refusal_of(channel, message)
    assert code is Code.INVALID_ARGUMENT
    assert 0 < len(details) < 300
    assert "x-request-id" in metadata
    assert not any("Traceback" in line for line in server.lines)


@pytest.mark.usefixtures("still_answers")
def test_a_message_that_unfolds_in_memory_is_not_parsed(server: Server) -> None:
    before = server.memory_at_rest()
    with grpc.insecure_channel(server.grpc_target) as channel:
        errors = [refusal_of(channel, b"\x2a\x00" * (16 * MEBIBYTE)) for _ in range(3)]
    assert {code for code, *_ in errors} == {Code.INVALID_ARGUMENT}
    # Parsed, each would take 1.4 GB. Of 32 MiB some is kept for a while by who keeps freed memory.
    assert server.memory() - before < 400 * MEBIBYTE


@pytest.mark.usefixtures("still_answers")
def test_a_message_larger_than_a_batch_is_refused(server: Server) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        code, details, _ = refusal_of(channel, bytes(65 * MEBIBYTE))
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
    until(lambda: in_flight(server) == 0, 30)
    assert server.metric("rapt_photos_total") == answered


def test_the_clients_deadline_is_kept(server: Server, work: list[bytes]) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        error = infer(channel, *work, timeout=0.2).exception(30)
    assert isinstance(error, grpc.RpcError)
    assert error.code() is Code.DEADLINE_EXCEEDED
    until(lambda: in_flight(server) == 0, 30)


@pytest.mark.soak
@pytest.mark.parametrize("server", ["runners"], indirect=True)
def test_a_killed_model_is_waited_for_or_unavailable(server: Server, face_jpeg: bytes) -> None:
    with grpc.insecure_channel(server.grpc_target) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        server.member("--service-name FaceDetector").kill()
        error = infer(channel, face_jpeg).exception(30)
        if error is not None:
            assert isinstance(error, grpc.RpcError)
            assert error.code() in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED)
            assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"]
        until(lambda: health.Check(health_pb2.HealthCheckRequest()).status == SERVING, 30)
        assert infer(channel, face_jpeg).exception(30) is None


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

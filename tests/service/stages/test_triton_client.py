import asyncio
from collections.abc import AsyncIterator
from functools import partial

import grpc
import numpy as np
import pytest
from opentelemetry.trace import SpanKind
from structlog.testing import capture_logs

from benchmarks.ports import free_ports
from emotion.deadline import Deadline
from emotion.errors import DeadlineExceeded, ModelUnavailable, Overloaded, RaptError
from service.origins import Origin, coming_from
from service.stages import triton_client
from service.stages.triton_client import Inference, TritonClient
from tests.service.stages.coming_back import until_it_answers
from tests.service.stages.fake_triton import FakeTriton, serving
from tests.service.told_spans import ToldSpans, id_of, trace_of
from tests.triton_server import TritonServer

CROPS = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1) * np.ones((1, 1, 48, 48), np.uint8)
REFUSED = (grpc.StatusCode.UNAVAILABLE, "connection refused")
FULL = (grpc.StatusCode.UNAVAILABLE, "[request id: 7] Exceeds maximum queue size")


@pytest.fixture
async def fake(free_port: int) -> AsyncIterator[FakeTriton]:
    triton = FakeTriton()
    async with serving(triton, free_port):
        yield triton


@pytest.fixture
async def client(free_port: int) -> AsyncIterator[TritonClient]:
    """Of a server on ``free_port``, whether there is one or not."""
    client = TritonClient(f"127.0.0.1:{free_port}")
    yield client
    await client.close()


@pytest.fixture
async def real(triton: TritonServer) -> AsyncIterator[TritonClient]:
    """Of the real Triton."""
    client = TritonClient(triton.address)
    yield client
    await client.close()


async def infer(client: TritonClient, deadline: Deadline | None = None) -> Inference:
    return await client.infer("face_detector", {"x": CROPS}, ["y"], deadline or Deadline())


async def test_a_batch_is_answered_by_a_version(real: TritonClient) -> None:
    answer = await real.infer("emotion_classifier", {"crops": CROPS}, ["probabilities"], Deadline())
    (probabilities,) = answer.tensors
    assert probabilities.shape == (3, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), np.ones(3), atol=1e-5)
    assert answer.number == 1


async def test_outputs_come_in_the_order_they_are_asked_for_in(real: TritonClient) -> None:
    images = {"images": np.zeros((1, 64, 96, 3), dtype=np.uint8)}
    answer = await real.infer("face_detector", images, ["scores", "locations"], Deadline())
    assert [tensor.shape for tensor in answer.tensors] == [(1, 252), (1, 252, 4)]


async def test_labels_come_in_the_order_of_the_classes(real: TritonClient) -> None:
    labels = await real.labels(
        "emotion_classifier", {"crops": CROPS[:1]}, "probabilities", Deadline()
    )
    assert labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


async def test_a_model_is_described(real: TritonClient) -> None:
    await real.check_ready("emotion_classifier", Deadline())
    assert await real.numbers("emotion_classifier", Deadline()) == (1,)
    assert (await real.config("emotion_classifier", Deadline())).max_batch_size == 64


async def test_a_model_that_triton_does_not_have_is_unavailable(real: TritonClient) -> None:
    with pytest.raises(ModelUnavailable, match="The made up failed on Triton"):
        await real.infer("made_up", {"x": CROPS}, ["y"], Deadline())
    with pytest.raises(ModelUnavailable, match="Triton has not loaded the made up"):
        await real.check_ready("made_up", Deadline())


async def test_past_its_deadline_nothing_is_asked(fake: FakeTriton, client: TritonClient) -> None:
    with pytest.raises(DeadlineExceeded):
        await infer(client, Deadline(at=0.0))
    assert fake.peers == []


async def test_a_call_ends_at_its_deadline_here_and_there(
    fake: FakeTriton, client: TritonClient
) -> None:
    fake.dawdles = True
    with pytest.raises(DeadlineExceeded, match="The face detector did not answer in time"):
        await infer(client, Deadline.after(1.0))
    await asyncio.wait_for(fake.cancelled.wait(), 5)
    assert len(fake.peers) == 1


async def test_a_caller_that_goes_away_ends_its_call(
    fake: FakeTriton, client: TritonClient
) -> None:
    fake.dawdles = True
    task = asyncio.create_task(infer(client))
    while not fake.peers:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait_for(fake.cancelled.wait(), 5)


async def test_what_triton_has_queued_for_nobody_is_not_computed(triton: TritonServer) -> None:
    client = TritonClient(triton.address)
    crops = np.zeros((64, 1, 48, 48), dtype=np.uint8)
    before = triton.counts("emotion_classifier")
    calls = [
        client.infer("emotion_classifier", {"crops": crops}, ["probabilities"], Deadline.after(0.1))
        for _ in range(40)
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, DeadlineExceeded) for result in results) > 20
    # What comes after them waits for none of them.
    await client.infer("emotion_classifier", {"crops": CROPS}, ["probabilities"], Deadline())
    after = triton.counts_after("emotion_classifier", before, inferences=3)
    assert after.inferences - before.inferences < 20 * 64
    await client.close()


@pytest.mark.parametrize("failures", [1, 2])
async def test_what_may_pass_is_asked_again(
    failures: int, fake: FakeTriton, client: TritonClient
) -> None:
    fake.failures = [REFUSED] * failures
    answer = await infer(client)
    np.testing.assert_array_equal(answer.tensors[0], CROPS)
    assert answer.number == 3
    assert len(fake.peers) == failures + 1


@pytest.mark.parametrize(
    ("failure", "expected", "calls"),
    [
        (REFUSED, ModelUnavailable, 3),
        ((grpc.StatusCode.CANCELLED, "shutting down"), ModelUnavailable, 3),
        (FULL, Overloaded, 1),
        ((grpc.StatusCode.DEADLINE_EXCEEDED, "late"), DeadlineExceeded, 1),
        ((grpc.StatusCode.INTERNAL, "onnx runtime error 6"), ModelUnavailable, 1),
        ((grpc.StatusCode.INVALID_ARGUMENT, "unexpected shape"), ModelUnavailable, 1),
        ((grpc.StatusCode.NOT_FOUND, "unknown model"), ModelUnavailable, 1),
    ],
)
async def test_what_goes_wrong_is_told_as_what_it_means(
    failure: tuple[grpc.StatusCode, str],
    expected: type[RaptError],
    calls: int,
    fake: FakeTriton,
    client: TritonClient,
) -> None:
    fake.failures = [failure] * 3
    with pytest.raises(expected, match="face detector"):
        await infer(client)
    assert len(fake.peers) == calls


async def test_tries_end_at_the_deadline(
    fake: FakeTriton, client: TritonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_client, "_PAUSES", (1.0, 1.0))
    fake.failures = [REFUSED] * 3
    with pytest.raises(DeadlineExceeded):
        await infer(client, Deadline.after(0.9))
    assert len(fake.peers) == 1


async def test_where_nobody_listens_it_is_unavailable(client: TritonClient) -> None:
    with pytest.raises(ModelUnavailable, match="Triton does not answer for the face detector"):
        await infer(client)


async def test_while_nobody_listens_the_log_says_so_once_and_names_the_address(
    client: TritonClient, free_port: int
) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(ModelUnavailable):
                await client.check_ready("face_detector", Deadline())
    warnings = [one for one in logs if one["log_level"] == "warning"]
    assert [(one["event"], one["address"]) for one in warnings] == [
        ("triton_does_not_answer", f"127.0.0.1:{free_port}")
    ]
    # Two tries more, before it was known.
    assert [one["event"] for one in logs if one not in warnings] == ["triton_asked_again"] * 2


async def test_that_triton_answers_again_is_logged_once(
    fake: FakeTriton, client: TritonClient
) -> None:
    fake.failures = [REFUSED] * 3
    with pytest.raises(ModelUnavailable):
        await infer(client)
    with capture_logs() as logs:
        await infer(client)
        await infer(client)
    assert [one["event"] for one in logs] == ["triton_answers_again"]


async def test_a_model_that_is_being_loaded_is_not_ready(
    fake: FakeTriton, client: TritonClient
) -> None:
    with pytest.raises(ModelUnavailable, match="Triton has not loaded the face detector"):
        await client.check_ready("face_detector", Deadline())


async def test_a_call_is_told_and_triton_knows_of_which_span_it_is(
    fake: FakeTriton, client: TritonClient, told: ToldSpans
) -> None:
    await infer(client)
    one = told.end()["triton face_detector"]
    assert one.kind is SpanKind.CLIENT
    assert fake.traceparents == [f"00-{trace_of(one)}-{id_of(one):016x}-03"]


async def test_a_callers_trace_is_passed_on_though_nobody_is_told(
    fake: FakeTriton, client: TritonClient
) -> None:
    traceparent = f"00-{'1' * 32}-{'2' * 16}-01"
    with coming_from(Origin("r1", traceparent)):
        await infer(client)
    await infer(client)
    assert fake.traceparents == [traceparent]


async def test_all_calls_share_one_connection(fake: FakeTriton, client: TritonClient) -> None:
    await asyncio.gather(*(infer(client) for _ in range(20)))
    await infer(client)
    assert len(fake.peers) == 21
    assert len(set(fake.peers)) == 1


async def test_several_servers_take_turns_and_one_that_ends_is_passed_over(
    free_port: int,
) -> None:
    one, other = FakeTriton(), FakeTriton()
    (port,) = free_ports(1)
    both = TritonClient(f"ipv4:127.0.0.1:{free_port},127.0.0.1:{port}")
    async with serving(one, free_port):
        async with serving(other, port):
            async with asyncio.timeout(5):
                while not (one.peers and other.peers):
                    await infer(both)
            before = len(one.peers)
            for _ in range(10):
                await infer(both)
            assert len(one.peers) - before == 5
        for _ in range(10):
            await infer(both)
    await both.close()


async def test_a_server_that_is_back_is_found_within_seconds(
    client: TritonClient, free_port: int
) -> None:
    async with serving(FakeTriton(), free_port):
        await infer(client)
    knocks = 0

    def turn_away(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal knocks
        knocks += 1
        writer.close()

    # gRPC, left to itself, would take a minute for so many tries.
    async with asyncio.timeout(30), await asyncio.start_server(turn_away, "127.0.0.1", free_port):
        while knocks < 9:
            with pytest.raises(ModelUnavailable):
                await infer(client)
    async with serving(FakeTriton(), free_port):
        await until_it_answers(partial(infer, client))


async def test_a_proxy_that_the_environment_names_is_not_asked(
    fake: FakeTriton, client: TritonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await infer(client)


async def test_a_client_that_was_closed_may_be_used_again(
    fake: FakeTriton, client: TritonClient
) -> None:
    await infer(client)
    await client.close()
    await infer(client)
    assert len(fake.peers) == 2

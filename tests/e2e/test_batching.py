"""Adaptive batching in the running service."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.servers import Server
from tests.triton_server import TritonServer


@pytest.mark.parametrize("server", ["runners"], indirect=True)
def test_rows_gather_while_the_models_are_busy(server: Server, face_jpeg: bytes) -> None:
    rows, batches = (server.metric(f"rapt_batch_rows_{what}") for what in ("sum", "count"))
    burst(server, face_jpeg)
    assert server.metric("rapt_batch_rows_sum") - rows == 64  # Of each model, one a photo.
    assert server.metric("rapt_batch_rows_count") - batches < 48


@pytest.mark.parametrize("server", ["triton"], indirect=True)
@pytest.mark.parametrize("model", ["face_detector", "emotion_classifier"])
def test_triton_executes_less_often_than_it_is_asked(
    model: str, server: Server, triton: TritonServer, face_jpeg: bytes
) -> None:
    before, began = triton.counts(model), time.monotonic()
    burst(server, face_jpeg)
    after = triton.counts_after(model, before, inferences=32)
    asked = after.inferences - before.inferences
    # Of each model, one a photo; the classifier is asked for its labels too, once a second.
    assert 32 <= asked <= 34 + time.monotonic() - began
    assert after.executions - before.executions <= 0.75 * asked


def test_a_photo_that_comes_alone_after_a_burst_is_not_held_back(
    server: Server, face_jpeg: bytes
) -> None:
    burst(server, face_jpeg)
    assert min(seconds_of(server, face_jpeg) for _ in range(5)) < 0.7


def burst(server: Server, photo: bytes) -> None:
    """32 photos at once."""
    with ThreadPoolExecutor(32) as pool:
        responses = list(pool.map(server.post, [photo] * 32))
    assert [response.text for response in responses if response.status_code != 200] == []


def seconds_of(server: Server, photo: bytes) -> float:
    began = time.perf_counter()
    assert server.post(photo).status_code == 200
    return time.perf_counter() - began

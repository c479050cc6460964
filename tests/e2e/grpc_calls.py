"""Calls that tests make of a running server over gRPC."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import grpc
import pytest
from tritonclient.grpc import service_pb2_grpc

from tests.service.grpc.client import INFER, asking


def infer(channel: grpc.Channel, *photos: bytes, **options: float) -> Future[object]:
    """A call under way."""
    future: Future[object] = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer.future(
        asking(*photos), **options
    )
    return future


def refusal_of(
    channel: grpc.Channel, message: bytes
) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Status, message and trailing metadata of a call that fails."""
    with pytest.raises(grpc.RpcError) as failure:
        channel.unary_unary(INFER)(message, timeout=30)
    call = failure.value
    return call.code(), call.details(), dict(call.trailing_metadata() or ())


@contextmanager
def open_ended(channel: grpc.Channel) -> Iterator[grpc.Future]:
    """A call whose message does not come while the block runs."""
    may_end = threading.Event()

    def messages() -> Iterator[bytes]:
        may_end.wait()
        yield from ()

    call = channel.stream_unary(INFER).future(messages())
    try:
        yield call
    finally:
        may_end.set()

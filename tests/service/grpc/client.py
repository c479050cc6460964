"""The gRPC server in this process on a port of its own, and what a client asks of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from prometheus_client import CollectorRegistry
from tritonclient.grpc import service_pb2, service_pb2_grpc

from benchmarks.ports import free_ports
from service.data_plane import DataPlane
from service.grpc.server import GrpcServer
from service.metrics import GrpcMetrics
from service.open_inference.tensors import pack
from service.settings import Settings

INFER = "/inference.GRPCInferenceService/ModelInfer"


def settings_of(**changes: Any) -> Settings:  # noqa: ANN401  # any setting
    """Settings with a port that is free."""
    return Settings(grpc_port=free_ports(1)[0], **changes)


@asynccontextmanager
async def serving(
    plane: DataPlane, registry: CollectorRegistry | None = None
) -> AsyncIterator[GrpcServer]:
    server = GrpcServer(plane, GrpcMetrics(registry or CollectorRegistry()))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def channel_of(
    plane: DataPlane, registry: CollectorRegistry | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to a server of its own."""
    target = f"127.0.0.1:{plane.settings.grpc_port}"
    async with serving(plane, registry), grpc.aio.insecure_channel(target) as channel:
        yield channel


def stub_of(channel: grpc.aio.Channel) -> service_pb2_grpc.GRPCInferenceServiceStub:
    return service_pb2_grpc.GRPCInferenceServiceStub(channel)


def asking(*photos: bytes, **more: Any) -> service_pb2.ModelInferRequest:  # noqa: ANN401  # any field
    """A request as tritonclient makes it."""
    fields = {
        "model_name": "emotion",
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [len(photos)]}],
        "raw_input_contents": [pack(photos)],
    }
    return service_pb2.ModelInferRequest(**{**fields, **more})


async def failure_of(call: grpc.aio.Call) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Status, message and trailing metadata of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    error = failure.value
    return error.code(), error.details(), dict(error.trailing_metadata())

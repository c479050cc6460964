"""A gRPC server that speaks Triton's protocol, and fails or dawdles as it is told to."""
# ruff: noqa: ANN401, ARG002, N802  # names and types of the methods are gRPC's

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from tritonclient.grpc import service_pb2, service_pb2_grpc


class FakeTriton(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # untyped
    """Answers with what it is sent, under the name of the output that is asked for.

    Attributes:
        failures: each fails one call, with a status and its words.
        peers: who called, a call each.
        traceparents: of the calls that had one.
        dawdles: whether calls are never answered.
        cancelled: set when a caller goes away from a call that isn't answered.
    """

    def __init__(self) -> None:
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.peers: list[str] = []
        self.traceparents: list[str] = []
        self.dawdles = False
        self.cancelled = asyncio.Event()

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        self.peers.append(context.peer())
        metadata = dict(context.invocation_metadata())
        self.traceparents += [metadata["traceparent"]] if "traceparent" in metadata else []
        if self.failures:
            await context.abort(*self.failures.pop(0))
        if self.dawdles:
            await self._dawdle()
        response = service_pb2.ModelInferResponse(model_version="3")
        (given,), (wanted,) = request.inputs, request.outputs
        response.outputs.add(name=wanted.name, datatype=given.datatype, shape=given.shape)
        response.raw_output_contents.append(request.raw_input_contents[0])
        return response

    async def ModelReady(self, request: Any, context: Any) -> Any:
        return service_pb2.ModelReadyResponse(ready=False)

    async def _dawdle(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


@asynccontextmanager
async def serving(triton: FakeTriton, port: int) -> AsyncIterator[None]:
    """Serve on a port of the loopback while the block runs; then drop all connections."""
    server = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(triton, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)

"""Interceptor: what every call has in common, whoever answers it.

Each gets its id, its errors become statuses, it is counted, and a stream ends with the server.
Access control belongs here too, once there is any: before a message is taken in.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import structlog
from structlog.contextvars import bound_contextvars

from emotion.errors import ModelUnavailable, RaptError
from service.grpc.context import Context
from service.grpc.receiving import Continuation
from service.grpc.statuses import Metadata, retry_metadata, status_of
from service.metrics import GrpcMetrics
from service.request_ids import choose_request_id

REQUEST_ID = "x-request-id"
_LONGEST_MESSAGE = 1000  # It travels as a header; a client drops headers of more than 8 KiB.

log = structlog.get_logger()


class Calls(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # gRPC has no types
    """Stands before ``Receiving``, which has made every call's requests a stream."""

    def __init__(self, metrics: GrpcMetrics) -> None:
        """Take who counts."""
        self._metrics = metrics
        self._streams: set[asyncio.Timeout] = set()

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Return the handler of a call, with all of that around it; see gRPC's class."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method: str = handler_call_details.method.rpartition("/")[2]
        if handler.stream_unary:
            answer = handler.stream_unary

            async def answer_one(requests: object, context: Context) -> Any:  # noqa: ANN401  # gRPC's form
                async with self._call(method, context):
                    return await answer(requests, context)

            return handler._replace(stream_unary=answer_one)

        converse = handler.stream_stream

        async def answer_many(requests: object, context: Context) -> None:
            async with self._call(method, context), self._until_the_end():
                await converse(requests, context)

        return handler._replace(stream_stream=answer_many)

    def end_streams(self) -> None:
        """End the calls that would never end by themselves."""
        for stream in self._streams:
            stream.reschedule(-math.inf)

    @asynccontextmanager
    async def _call(self, method: str, context: Context) -> AsyncIterator[None]:
        offered = dict(context.invocation_metadata() or ()).get(REQUEST_ID)
        request_id = choose_request_id(offered if isinstance(offered, str) else None)
        said_id = ((REQUEST_ID, request_id),)
        context.set_trailing_metadata(said_id)
        # Whatever is logged on the call's way carries its id.
        with bound_contextvars(request_id=request_id):
            try:
                yield
            except asyncio.CancelledError:
                self._metrics.ended(method, grpc.StatusCode.CANCELLED.name)
                raise
            except grpc.aio.AbortError:
                self._metrics.ended(method, context.code().name)
                raise
            except Exception as error:  # the edge: whatever it is, the client is told
                code, message, hints = _failure(error)
                self._metrics.ended(method, code.name)
                await context.abort(code, message[:_LONGEST_MESSAGE], (*said_id, *hints))
            else:
                self._metrics.ended(method, grpc.StatusCode.OK.name)

    @asynccontextmanager
    async def _until_the_end(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(None) as stream:
                self._streams.add(stream)
                try:
                    yield
                finally:
                    self._streams.discard(stream)
        except TimeoutError as error:
            raise ModelUnavailable("The service is ending.") from error


def _failure(error: Exception) -> tuple[grpc.StatusCode, str, Metadata]:
    if isinstance(error, RaptError):
        return status_of(error), error.message, retry_metadata(error)
    log.error("unexpected_error", exc_info=error)
    message = "An unexpected error; the server's log has it under this request's id."
    return grpc.StatusCode.INTERNAL, message, ()

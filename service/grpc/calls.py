"""Interceptor: what every call has in common, whoever answers it.

Each gets its id, its errors become statuses, it is counted and traced, and a stream ends with the
server.
Access control belongs here too, once there is any: before a message is taken in.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
import grpc.aio
import structlog

from emotion.errors import ModelUnavailable, RaptError
from service.grpc.context import Context
from service.grpc.receiving import Continuation
from service.grpc.statuses import Metadata, retry_metadata, status_of
from service.metrics import GrpcMetrics
from service.origins import TRACEPARENT, Origin, coming_from, plain_traceparent
from service.request_ids import choose_request_id
from service.tracing.spans import NO_SPAN, Kind, span

REQUEST_ID = "x-request-id"
# gRPC passes on one call in each round of the event loop, and a round may take as long as a look.
_LOOK_SECONDS = 0.004
_QUIET_LOOKS = 4
_LONGEST_WAIT_SECONDS = 1.0
_LONGEST_MESSAGE = 1000  # It travels as a header; a client drops headers of more than 8 KiB.
_TRACED = "ModelInfer"
# Of the server, not of the client (opentelemetry.io/docs/specs/semconv/rpc/grpc).
_FAULTS = (
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
)

log = structlog.get_logger()


class Calls(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # gRPC has no types
    """Stands before ``Receiving``, which has made every call's requests a stream."""

    def __init__(self, metrics: GrpcMetrics) -> None:
        """Take who counts."""
        self._metrics = metrics
        self._begun = 0
        self._streams: set[asyncio.Timeout] = set()

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Return the handler of a call, with all of that around it; see gRPC's class."""
        self._begun += 1
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
            async with self._call(method, context, is_stream=True), self._until_the_end():
                await converse(requests, context)

        return handler._replace(stream_stream=answer_many)

    async def pause(self) -> None:
        """Wait until no call has begun for some milliseconds; not for ever, should they go on."""
        quiet, last = 0, time.monotonic() + _LONGEST_WAIT_SECONDS
        while quiet < _QUIET_LOOKS and time.monotonic() < last:
            begun = self._begun
            await asyncio.sleep(_LOOK_SECONDS)
            quiet = quiet + 1 if self._begun == begun else 0

    def end_streams(self) -> None:
        """End the calls that would never end by themselves."""
        for stream in self._streams:
            stream.reschedule(-math.inf)

    @asynccontextmanager
    async def _call(
        self, method: str, context: Context, *, is_stream: bool = False
    ) -> AsyncIterator[None]:
        origin = _origin_of(context)
        said_id = ((REQUEST_ID, origin.request_id or ""),)
        context.set_trailing_metadata(said_id)
        with coming_from(origin), self._observed(method, is_stream=is_stream) as ended:
            try:
                yield
            except asyncio.CancelledError:
                ended(grpc.StatusCode.CANCELLED)
                raise
            except grpc.aio.AbortError:
                ended(context.code())
                raise
            except Exception as error:  # the edge: whatever it is, the client is told
                code, message, hints = _failure(error)
                ended(code)
                await context.abort(code, message[:_LONGEST_MESSAGE], (*said_id, *hints))
            else:
                ended(grpc.StatusCode.OK)

    @contextmanager
    def _observed(
        self, method: str, *, is_stream: bool
    ) -> Iterator[Callable[[grpc.StatusCode], None]]:
        """Give a function that counts how the call ended, and tells it in its span."""
        began = time.perf_counter()
        facts = {"rpc.system": "grpc", "rpc.method": method}
        # Probes ask all day long; nobody follows them.
        one = span(f"grpc {method}", Kind.SERVER, facts) if method == _TRACED else NO_SPAN
        with one as told:

            def ended(code: grpc.StatusCode) -> None:
                # How long a stream lasted says nothing.
                seconds = None if is_stream else time.perf_counter() - began
                self._metrics.ended(method, code.name, seconds)
                told.note({"rpc.grpc.status_code": code.value[0]})
                if code in _FAULTS:
                    told.fail(code.name)

            yield ended

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


def _origin_of(context: Context) -> Origin:
    """Return who calls, as its metadata says: those that are text."""
    metadata = dict(context.invocation_metadata() or ())
    said = {name: value for name, value in metadata.items() if isinstance(value, str)}
    request_id = choose_request_id(said.get(REQUEST_ID))
    return Origin(request_id, plain_traceparent(said.get(TRACEPARENT)))


def _failure(error: Exception) -> tuple[grpc.StatusCode, str, Metadata]:
    if isinstance(error, RaptError):
        return status_of(error), error.message, retry_metadata(error)
    log.error("unexpected_error", exc_info=error)
    message = "An unexpected error; the server's log has it under this request's id."
    return grpc.StatusCode.INTERNAL, message, ()

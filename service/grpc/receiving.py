"""Interceptor: takes the messages of all calls but ModelInfer in, bounded in memory and time.

gRPC takes a whole message in before its size is known, and any may be as large as the largest
batch. These calls ask for little, and are answered when photos are not: they have a few places of
their own, and hold one for a moment. How many there are at once is bounded for each kind of call,
so that those of one kind never take the room of the others.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from grpc_health.v1.health import SERVICE_NAME as HEALTH

from emotion.errors import DeadlineExceeded, InvalidRequest, Overloaded
from service.grpc.context import Context, UnaryBehaviour

_MOST_BYTES = 64 * 1024
_SECONDS = 5.0
# Messages taken in at once, and calls that are here at once, from their beginning to their answer.
_PLACES, _CALLS = 12, 128
# Those of probes, which others have to leave alone: who doesn't get through is taken for dead.
_PROBE_PLACES, _PROBES = 4, 32
_PROBE = f"/{HEALTH}/Check"
# A watch costs little, and never ends by itself: some for each of the proxies before a front.
_WATCHES = 64
# A conversation, as reflection's, may take in a message at any time: so few at once, and not long.
_CONVERSATIONS = 8
_CONVERSATION_SECONDS = 60.0
# All of them together.
MOST_CALLS = _CALLS + _PROBES + _WATCHES + _CONVERSATIONS

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]]


class _Limit:
    """Counts calls of a kind that are here at once."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place while the block runs.

        Raises:
            Overloaded: all are taken.
        """
        if self._taken >= self._most:
            raise Overloaded(
                f"All {self._most} places for {self._what} are taken. Try again shortly."
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


class _Room:
    """What a kind of call has for itself."""

    def __init__(self, places: int, calls: int, what: str) -> None:
        self._places = asyncio.Semaphore(places)
        self.calls = _Limit(calls, what)

    async def take(self, context: Context) -> bytes:
        """Take a call's message in.

        Raises:
            DeadlineExceeded: it doesn't come.
            InvalidRequest: there is none, or it is large.
        """
        try:
            async with asyncio.timeout(_SECONDS), self._places:
                content: bytes = await context.read()
        except TimeoutError as error:
            raise DeadlineExceeded(f"No message came within {_SECONDS:.0f} s.") from error
        if content is grpc.aio.EOF:
            raise InvalidRequest("The call ended without a message.")
        if len(content) > _MOST_BYTES:
            raise InvalidRequest(f"The message has more than {_MOST_BYTES:,} bytes.")
        return content


class Receiving(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # gRPC has no types
    """Turns handlers of one message into ones that ask for it."""

    def __init__(self) -> None:
        """Have all places free."""
        self._calls = _Room(_PLACES, _CALLS, "small calls")
        self._probes = _Room(_PROBE_PLACES, _PROBES, "probes")
        self._watches = _Limit(_WATCHES, "watches")
        self._conversations = _Limit(_CONVERSATIONS, "streams")

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Return the handler of a call in another form; see gRPC's class."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.stream_unary:
            return handler
        if handler.unary_unary:
            is_probe = handler_call_details.method == _PROBE
            room = self._probes if is_probe else self._calls
            return grpc.stream_unary_rpc_method_handler(
                _taking(room, handler.unary_unary, handler.request_deserializer),
                None,
                handler.response_serializer,
            )
        if handler.unary_stream:
            return grpc.stream_stream_rpc_method_handler(
                self._watching(handler.unary_stream, handler.request_deserializer),
                None,
                handler.response_serializer,
            )
        return grpc.stream_stream_rpc_method_handler(
            self._conversing(handler.stream_stream),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _watching(self, behaviour: UnaryBehaviour, parse: Callable[[bytes], Any]) -> UnaryBehaviour:
        async def behave(requests: object, context: Context) -> None:  # noqa: ARG001  # gRPC's form
            with self._watches.place():
                await behaviour(_parsed(await self._calls.take(context), parse), context)

        return behave

    def _conversing(
        self, behaviour: Callable[[Any, Context], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], Awaitable[None]]:
        async def behave(requests: Any, context: Context) -> None:  # noqa: ANN401  # gRPC's form
            try:
                with self._conversations.place():
                    async with asyncio.timeout(_CONVERSATION_SECONDS):
                        async for response in behaviour(requests, context):
                            await context.write(response)
            except TimeoutError as error:
                raise DeadlineExceeded(
                    f"A stream ends after {_CONVERSATION_SECONDS:.0f} s. Begin another."
                ) from error
            except DecodeError as error:
                raise InvalidRequest("A message of the stream can't be read.") from error

        return behave


def _taking(
    room: _Room, behaviour: UnaryBehaviour, parse: Callable[[bytes], Any]
) -> UnaryBehaviour:
    async def behave(requests: object, context: Context) -> Any:  # noqa: ANN401, ARG001  # gRPC's form
        with room.calls.place():
            return await behaviour(_parsed(await room.take(context), parse), context)

    return behave


def _parsed(content: bytes, parse: Callable[[bytes], Any]) -> Any:  # noqa: ANN401  # messages have no types
    try:
        return parse(content)
    except DecodeError as error:
        raise InvalidRequest("The message is not of this call's type.") from error

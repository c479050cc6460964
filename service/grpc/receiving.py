"""Interceptor: takes the messages of all calls but ModelInfer in, bounded in memory and time.

gRPC takes a whole message in before its size is known, and any may be as large as the largest
batch. These calls ask for little, and are answered when photos are not: they have a few places of
their own, and hold one for a moment.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from emotion.errors import DeadlineExceeded, InvalidRequest, Overloaded
from service.grpc.context import Context, UnaryBehaviour

_MOST_BYTES = 64 * 1024
_PLACES = 16
_SECONDS = 5.0
# A conversation, as reflection's, may take in a message at any time: so few at once, and not long.
_CONVERSATIONS = 8
_CONVERSATION_SECONDS = 60.0

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]]


class Receiving(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # gRPC has no types
    """Turns handlers of one message into ones that ask for it."""

    def __init__(self) -> None:
        """Have all places free."""
        self._places = asyncio.Semaphore(_PLACES)
        self._conversations = 0

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Return the handler of a call in another form; see gRPC's class."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.stream_unary:
            return handler
        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(
                self._taking(handler.unary_unary, handler.request_deserializer),
                None,
                handler.response_serializer,
            )
        if handler.unary_stream:
            return grpc.stream_stream_rpc_method_handler(
                self._taking(handler.unary_stream, handler.request_deserializer),
                None,
                handler.response_serializer,
            )
        return grpc.stream_stream_rpc_method_handler(
            self._conversing(handler.stream_stream),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _taking(
        self,
        behaviour: UnaryBehaviour,
        parse: Callable[[bytes], Any],
    ) -> UnaryBehaviour:
        async def behave(requests: object, context: Context) -> Any:  # noqa: ANN401, ARG001  # gRPC's form
            return await behaviour(_parsed(await self._take(context), parse), context)

        return behave

    async def _take(self, context: Context) -> bytes:
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

    def _conversing(
        self, behaviour: Callable[[Any, Context], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], Awaitable[None]]:
        async def behave(requests: Any, context: Context) -> None:  # noqa: ANN401  # gRPC's form
            if self._conversations >= _CONVERSATIONS:
                raise Overloaded(f"All {_CONVERSATIONS} places for streams are taken.")
            self._conversations += 1
            try:
                async with asyncio.timeout(_CONVERSATION_SECONDS):
                    async for response in behaviour(requests, context):
                        await context.write(response)
            except TimeoutError as error:
                raise DeadlineExceeded(
                    f"A stream ends after {_CONVERSATION_SECONDS:.0f} s. Begin another."
                ) from error
            except DecodeError as error:
                raise InvalidRequest("A message of the stream can't be read.") from error
            finally:
                self._conversations -= 1

        return behave


def _parsed(content: bytes, parse: Callable[[bytes], Any]) -> Any:  # noqa: ANN401  # messages have no types
    try:
        return parse(content)
    except DecodeError as error:
        raise InvalidRequest("The message is not of this call's type.") from error

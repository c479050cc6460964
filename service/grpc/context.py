"""One call, as gRPC hands it to a handler: the parts of it that are used here."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn, Protocol

import grpc


class Context(Protocol):
    """``grpc.aio.ServicerContext``, which has no types."""

    async def read(self) -> Any:  # noqa: ANN401  # a message
        """Return the next message, or ``grpc.aio.EOF``."""
        ...

    async def write(self, message: Any) -> None:  # noqa: ANN401  # as above
        """Send a message of a stream."""
        ...

    async def abort(
        self,
        code: grpc.StatusCode,
        details: str,
        trailing_metadata: Sequence[tuple[str, str]],
    ) -> NoReturn:
        """End the call with an error."""
        ...

    def set_trailing_metadata(self, trailing_metadata: Sequence[tuple[str, str]]) -> None:
        """Say what is sent at the call's end."""
        ...

    def invocation_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:
        """Return what the client sent at the call's beginning."""
        ...

    def time_remaining(self) -> float | None:
        """Return the seconds until the client's deadline, if it has one."""
        ...

    def code(self) -> Any:  # noqa: ANN401  # a status, or its number
        """Return the status so far."""
        ...


# A handler of a call whose requests are a stream: of one message, where gRPC says unary. On the
# wire both are the same; here the handler is asked before the message is taken in.
UnaryBehaviour = Callable[[Any, Context], Awaitable[Any]]

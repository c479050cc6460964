"""What is told of the work, and where it belongs. Like the log, used wherever work is done."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from service.origins import Origin

Facts = Mapping[str, str | int]

_NOTHING: Facts = {}


class Kind(Enum):
    """On which side of a call a span is; the names are OpenTelemetry's."""

    INTERNAL = auto()
    SERVER = auto()
    CLIENT = auto()
    CONSUMER = auto()


class Span(Protocol):
    """A piece of work under way."""

    def rename(self, name: str) -> None:
        """Call it by what is known by now."""
        ...

    def note(self, facts: Facts) -> None:
        """Say more of it."""
        ...

    def fail(self, why: str) -> None:
        """Say that it failed, by the kind of error."""
        ...


class Tracer(Protocol):
    """Who tells spans."""

    def span(self, name: str, kind: Kind, facts: Facts) -> AbstractContextManager[Span]:
        """See ``span``."""
        ...

    def batch_span(
        self, name: str, origins: Sequence[Origin], facts: Facts
    ) -> AbstractContextManager[None]:
        """See ``batch_span``."""
        ...

    def end(self) -> None:
        """Tell what is left."""
        ...


class _Untold:
    """``Span`` that nobody is told of."""

    def rename(self, name: str) -> None:
        pass

    def note(self, facts: Facts) -> None:
        pass

    def fail(self, why: str) -> None:
        pass


@dataclass(slots=True)
class _Process:
    tracer: Tracer | None = None


_process = _Process()
# A block that nobody is told of.
NO_SPAN: AbstractContextManager[Span] = nullcontext(_Untold())


def span(
    name: str, kind: Kind = Kind.INTERNAL, facts: Facts = _NOTHING
) -> AbstractContextManager[Span]:
    """Tell the work in a block as a span of the trace that it belongs to, or of a new one.

    What the block asks of others comes from this span (``service.origins``). An error that leaves
    the block fails it, but for a server's: whether that failed, its answer says.
    """
    if _process.tracer is None:
        return NO_SPAN
    return _process.tracer.span(name, kind, facts)


def batch_span(
    name: str, origins: Sequence[Origin], facts: Facts = _NOTHING
) -> AbstractContextManager[None]:
    """Tell the work on a batch in the trace of each request that has rows in it.

    Args:
        name: of the work.
        origins: one a row.
        facts: of the batch.
    """
    if _process.tracer is None:
        return nullcontext()
    return _process.tracer.batch_span(name, origins, facts)


def use_tracer(tracer: Tracer | None) -> Tracer | None:
    """Have a tracer be told of this process's spans, None is nobody; return who was before."""
    before, _process.tracer = _process.tracer, tracer
    return before

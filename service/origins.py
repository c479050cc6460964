"""Where work comes from: which request, in which trace. Log lines, batches and rows carry it on.

A trace is named as W3C's Trace Context does it (w3.org/TR/trace-context): a ``traceparent`` names
the trace and, in it, the span that asked.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from structlog.contextvars import bound_contextvars

TRACEPARENT = "traceparent"
_PLAIN = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Origin:
    """What asked for some work.

    Attributes:
        request_id: of the request; None where there was none.
        traceparent: of the span that asked; None where nobody traces it.
    """

    request_id: str | None = None
    traceparent: str | None = None

    @property
    def trace_id(self) -> str | None:
        """32 hex digits; None where nobody traces it."""
        return None if self.traceparent is None else self.traceparent.split("-")[1]


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  # it is frozen


def current_origin() -> Origin:
    """Return where the work comes from that is being done."""
    return _origin.get()


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Have the work in the block come from somewhere: whatever it logs carries both ids."""
    ids = {"request_id": origin.request_id, "trace_id": origin.trace_id}
    token = _origin.set(origin)
    try:
        with bound_contextvars(**{name: one for name, one in ids.items() if one is not None}):
            yield
    finally:
        _origin.reset(token)


def plain_traceparent(offered: str | None) -> str | None:
    """Return a caller's traceparent, if it is one of version 00; any other begins a trace anew."""
    return offered if offered and _PLAIN.fullmatch(offered) else None

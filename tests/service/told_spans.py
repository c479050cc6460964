"""Spans that this process tells, by OpenTelemetry's SDK, kept in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.tracing.open_telemetry import OtlpTracer
from service.tracing.set_up import end_tracing
from service.tracing.spans import use_tracer


@dataclass
class ToldSpans:
    """What is told while a test runs."""

    _exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    def begin(self) -> None:
        use_tracer(OtlpTracer("test", self._exporter))

    def end(self) -> dict[str, ReadableSpan]:
        """Tell nothing more; return what was told by its name, of which there is one each."""
        spans = self.end_with_all()
        named = {one.name: one for one in spans}
        assert len(named) == len(spans), [one.name for one in spans]
        return named

    def end_with_all(self) -> list[ReadableSpan]:
        """The same, in the order in which they ended."""
        end_tracing()
        return list(self._exporter.get_finished_spans())


@contextmanager
def telling() -> Iterator[ToldSpans]:
    told = ToldSpans()
    told.begin()
    try:
        yield told
    finally:
        end_tracing()


def parent_of(one: ReadableSpan) -> int | None:
    """The id of the span that asked."""
    return None if one.parent is None else one.parent.span_id


def id_of(one: ReadableSpan) -> int:
    assert one.context is not None
    span_id: int = one.context.span_id
    return span_id


def trace_of(one: ReadableSpan) -> str:
    assert one.context is not None
    return f"{one.context.trace_id:032x}"

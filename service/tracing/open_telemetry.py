"""Spans by OpenTelemetry's SDK, sent as OTLP over HTTP. Imported where traces are on, only.

The provider is nobody's default: libraries that would tell spans of their own, with addresses and
URLs in them (FastAPI, BentoML, MLflow), find none. Where a span belongs is said by ours alone.

Everything else is set by OpenTelemetry's own variables: sampler, headers, certificates, queue.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from service.logs import log_as_events
from service.origins import Origin, coming_from, current_origin
from service.tracing.spans import Facts, Kind, Span

_SECONDS = 3.0  # For a batch to be sent.


class OtlpTracer:
    """``service.tracing.spans.Tracer``."""

    def __init__(self, part: str, exporter: SpanExporter) -> None:
        """Tell an exporter of a part of the service."""
        name = os.environ.get("OTEL_SERVICE_NAME") or f"rapt-{part}"
        resource = Resource.create(
            {"service.namespace": "rapt", "service.name": name, "rapt.part": part}
        )
        self._exporter = _Impatient(exporter)
        # Who begins ends: a process that uvicorn has ended by a signal runs nothing at its exit.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("rapt")

    @contextmanager
    def span(self, name: str, kind: Kind, facts: Facts) -> Iterator[Span]:
        """Tell the work in a block; see ``service.tracing.spans.span``."""
        origin = current_origin()
        one = self._start(name, origin.traceparent, kind, facts)
        inside = replace(origin, traceparent=_traceparent(one.get_span_context()))
        try:
            with coming_from(inside):
                yield _Told(one)
        except BaseException as error:  # told, and passed on
            if kind is not Kind.SERVER:
                _Told(one).fail(type(error).__name__)
            raise
        finally:
            one.end()

    @contextmanager
    def batch_span(self, name: str, origins: Sequence[Origin], facts: Facts) -> Iterator[None]:
        """Tell the work on a batch; see ``service.tracing.spans.batch_span``."""
        # Rows of one request ask once. Who is not traced begins no trace here.
        parents = dict.fromkeys(one.traceparent for one in origins if one.traceparent)
        spans = [self._start(name, parent, Kind.INTERNAL, facts) for parent in parents]
        try:
            yield
        except BaseException as error:  # as above
            for one in spans:
                _Told(one).fail(type(error).__name__)
            raise
        finally:
            for one in spans:
                one.end()

    def end(self) -> None:
        """Send what is left, if the collector takes it in time."""
        self._exporter.is_ending = True
        self._provider.shutdown()

    def _start(self, name: str, parent: str | None, kind: Kind, facts: Facts) -> SdkSpan:
        return self._tracer.start_span(
            name, _context_of(parent), SpanKind[kind.name], attributes=dict(facts)
        )


class _Impatient(SpanExporter):
    """Another exporter, which is asked no more once it has failed a process that ends.

    A queue has several batches, and each would be waited for.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._has_failed = False
        self.is_ending = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.is_ending and self._has_failed:
            return SpanExportResult.FAILURE
        result = self._exporter.export(spans)
        self._has_failed = result is not SpanExportResult.SUCCESS
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Told:
    """``service.tracing.spans.Span``."""

    def __init__(self, one: SdkSpan) -> None:
        self._one = one

    def rename(self, name: str) -> None:
        self._one.update_name(name)

    def note(self, facts: Facts) -> None:
        self._one.set_attributes(dict(facts))

    def fail(self, why: str) -> None:
        self._one.set_attribute("error.type", why)
        self._one.set_status(StatusCode.ERROR)


def otlp_tracer(part: str) -> OtlpTracer:
    """Return the tracer of this process, which sends to where the environment says."""
    log_as_events("opentelemetry")
    return OtlpTracer(part, OTLPSpanExporter(timeout=_SECONDS))


def _context_of(traceparent: str | None) -> Context:
    """Return what OpenTelemetry takes for a parent; never the span that some library began."""
    if traceparent is None:
        return Context()
    _, trace, parent, flags = traceparent.split("-")
    flag = TraceFlags(int(flags, 16))
    asked = SpanContext(int(trace, 16), int(parent, 16), is_remote=True, trace_flags=flag)
    return set_span_in_context(NonRecordingSpan(asked), Context())


def _traceparent(one: SpanContext) -> str:
    return f"00-{one.trace_id:032x}-{one.span_id:016x}-{one.trace_flags:02x}"

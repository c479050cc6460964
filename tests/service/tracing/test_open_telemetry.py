from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from emotion.errors import Overloaded
from service.origins import Origin, coming_from, current_origin
from service.tracing.open_telemetry import OtlpTracer
from service.tracing.spans import Kind, batch_span, span
from tests.service.told_spans import ToldSpans, id_of, parent_of, trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = Origin("r1", f"00-{TRACE}-b7ad6b7169203331-01")
UNSAMPLED = Origin("r2", f"00-{TRACE}-b7ad6b7169203332-00")


def test_a_span_continues_the_callers_trace(told: ToldSpans) -> None:
    with coming_from(CALLER), span("outer", Kind.SERVER), span("inner"):
        pass
    spans = told.end()
    assert trace_of(spans["outer"]) == trace_of(spans["inner"]) == TRACE
    assert parent_of(spans["outer"]) == 0xB7AD6B7169203331
    assert parent_of(spans["inner"]) == id_of(spans["outer"])


def test_without_a_caller_a_trace_begins(told: ToldSpans) -> None:
    with span("outer"):
        pass
    assert parent_of(told.end()["outer"]) is None


def test_what_is_asked_in_the_block_comes_from_the_span(told: ToldSpans) -> None:
    with coming_from(CALLER), span("outer"):
        inside = current_origin()
    assert current_origin() == Origin()
    outer = told.end()["outer"]
    assert inside == Origin("r1", f"00-{TRACE}-{id_of(outer):016x}-01")


def test_who_is_not_sampled_is_not_told_but_traced_on(told: ToldSpans) -> None:
    with coming_from(UNSAMPLED), span("outer"):
        inside = current_origin()
    assert told.end() == {}
    assert inside.trace_id == TRACE
    assert inside.traceparent is not None
    assert inside.traceparent.endswith("-00")


def test_an_error_that_leaves_the_block_fails_the_span_without_its_words(told: ToldSpans) -> None:
    with pytest.raises(Overloaded), span("outer"):
        raise Overloaded("Anna's party.mp4 is too much.")
    outer = told.end()["outer"]
    assert not outer.status.is_ok
    assert outer.attributes == {"error.type": "Overloaded"}
    assert (outer.status.description, outer.events) == (None, ())


def test_whether_a_server_failed_its_answer_says(told: ToldSpans) -> None:
    with pytest.raises(Overloaded), span("one", Kind.SERVER):
        raise Overloaded("full")
    with span("other", Kind.SERVER) as one:
        one.fail("500")
    spans = told.end()
    assert spans["one"].attributes == {}
    assert spans["other"].attributes == {"error.type": "500"}


def test_a_span_may_be_renamed_and_said_more_of(told: ToldSpans) -> None:
    with span("GET", Kind.SERVER, {"a": 1}) as one:
        one.rename("GET /v1/videos")
        one.note({"b": "c"})
    assert told.end()["GET /v1/videos"].attributes == {"a": 1, "b": "c"}


def test_a_batch_is_told_once_in_each_trace_that_has_rows_in_it(told: ToldSpans) -> None:
    other = Origin("r3", f"00-{'1' * 32}-{'2' * 16}-01")
    origins = [CALLER, other, CALLER, Origin("r4"), UNSAMPLED]
    with batch_span("batch", origins, {"rapt.rows": 5}):
        pass
    spans = told.end_with_all()
    assert [(one.name, trace_of(one)) for one in spans] == [("batch", TRACE), ("batch", "1" * 32)]
    assert [one.attributes for one in spans] == [{"rapt.rows": 5}] * 2


class AwayExporter(SpanExporter):
    """A collector that is away; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002  # the SDK gives them
        self.asked += 1
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        pass


def test_a_process_that_ends_asks_a_collector_that_is_away_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
    # A batch is sent when it is full; what is less waits, but for the end.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    away = AwayExporter()
    tracer = OtlpTracer("test", away)
    for _ in range(3):
        with tracer.span("one", Kind.INTERNAL, {}):
            pass
    tracer.end()
    assert away.asked == 1


def test_a_batch_that_fails_does_so_in_each_trace(told: ToldSpans) -> None:
    with pytest.raises(ZeroDivisionError), batch_span("batch", [CALLER]):
        raise ZeroDivisionError
    assert told.end()["batch"].attributes == {"error.type": "ZeroDivisionError"}

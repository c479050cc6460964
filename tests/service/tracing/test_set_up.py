import subprocess
import sys
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from service.tracing.set_up import end_tracing, set_up_tracing, traced
from service.tracing.spans import NO_SPAN, span
from tests.otlp_collector import Collector, otlp_collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    with otlp_collector() as one:
        yield one


@pytest.fixture(autouse=True)
def no_tracing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    yield
    end_tracing()


def test_without_a_collector_nobody_is_told() -> None:
    set_up_tracing("front")
    assert span("work") is NO_SPAN


def test_without_a_collector_nothing_of_opentelemetrys_is_imported() -> None:
    code = (
        "import sys; from service.tracing.set_up import set_up_tracing;"
        "from service.tracing.spans import span; set_up_tracing('worker');"
        "span('work').__enter__().fail('not'); assert 'opentelemetry' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  # our own words


def test_spans_go_to_the_collector_that_the_environment_names(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    with traced("worker"), span("job", facts={"rapt.rows": 3}):
        pass
    assert collector.paths == ["/v1/traces"]
    (told,) = collector.spans()
    assert (told.part, told.name, told.kind) == ("worker", "job", "INTERNAL")
    assert told.facts == {"rapt.rows": "3"}
    assert span("work") is NO_SPAN


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]
)
def test_opentelemetrys_own_switches_are_heeded(
    name: str, value: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv(name, value)
    set_up_tracing("front")
    assert span("work") is NO_SPAN


def test_a_protocol_that_isnt_spoken_is_said(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with capture_logs() as logs:
        set_up_tracing("front")
    assert span("work") is NO_SPAN
    assert [(one["event"], one["why"]) for one in logs] == [
        ("tracing_off", "Of OTLP's protocols, http/protobuf alone is spoken here.")
    ]


def test_a_collector_that_is_away_keeps_nobody_from_ending(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port}")
    with capture_logs() as logs, traced("worker"), span("job"):
        pass
    assert {one["event"].partition(".")[0] for one in logs} == {"opentelemetry"}

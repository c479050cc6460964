"""Whether traces are told: where OTEL_EXPORTER_OTLP_ENDPOINT names a collector, and not else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from service.tracing.spans import use_tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"

log = structlog.get_logger()


def set_up_tracing(part: str) -> None:
    """Begin to tell spans, if the environment says to whom. Called once, by an entry point.

    Args:
        part: of the service that this process is; spans say it.
    """
    if not any(map(os.environ.get, _ENDPOINTS)) or _is_switched_off():
        return
    protocol = next(filter(None, map(os.environ.get, _PROTOCOLS)), _PROTOCOL)
    if protocol != _PROTOCOL:
        log.warning("tracing_off", why=f"Of OTLP's protocols, {_PROTOCOL} alone is spoken here.")
        return
    # Imported late: for those alone who want traces.
    from service.tracing.open_telemetry import otlp_tracer  # noqa: PLC0415

    use_tracer(otlp_tracer(part))


def end_tracing() -> None:
    """Tell what is left, and nothing more."""
    tracer = use_tracer(None)
    if tracer is not None:
        tracer.end()


@contextmanager
def traced(part: str) -> Iterator[None]:
    """Tell spans while the block runs; see ``set_up_tracing``."""
    set_up_tracing(part)
    try:
        yield
    finally:
        end_tracing()


def _is_switched_off() -> bool:
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return disabled or os.environ.get("OTEL_TRACES_EXPORTER") == "none"

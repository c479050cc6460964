"""A collector of traces in this process: it takes OTLP over HTTP, and keeps what it is told."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status


@dataclass(frozen=True, slots=True)
class ToldSpan:
    """A span as it came.

    Attributes:
        part: of the service that told it.
        name: of the work.
        kind: as OTLP names it, without SPAN_KIND_.
        trace_id: in hex, as all ids here.
        span_id: its own.
        parent_id: of the span that asked; empty where none did.
        facts: its attributes, as text.
        failed: whether its status is an error.
    """

    part: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    facts: dict[str, str]
    failed: bool


@dataclass
class Collector:
    """What was told so far.

    Attributes:
        port: where it listens.
        paths: that were asked for, a request each.
    """

    port: int
    paths: list[str] = field(default_factory=list)
    _bodies: list[bytes] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """The value of OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def raw(self) -> bytes:
        """All that came, as it came."""
        return b"".join(list(self._bodies))

    def take(self, path: str, body: bytes) -> None:
        self.paths.append(path)
        self._bodies.append(body)

    def spans(self) -> list[ToldSpan]:
        return [
            _told(told, one)
            for body in list(self._bodies)
            for told in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in told.scope_spans
            for one in scope.spans
        ]


def _told(told: ResourceSpans, one: Span) -> ToldSpan:
    return ToldSpan(
        part=_facts(told.resource.attributes)["rapt.part"],
        name=one.name,
        kind=Span.SpanKind.Name(one.kind).removeprefix("SPAN_KIND_"),
        trace_id=one.trace_id.hex(),
        span_id=one.span_id.hex(),
        parent_id=one.parent_span_id.hex(),
        facts=_facts(one.attributes),
        failed=one.status.code == Status.STATUS_CODE_ERROR,
    )


def _facts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    # Each has one field set: the one of its type.
    return {one.key: str(one.value.ListFields()[0][1]) for one in attributes}


@contextmanager
def otlp_collector() -> Iterator[Collector]:
    """Listen on a free port while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            collector.take(self.path, self.rfile.read(length))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

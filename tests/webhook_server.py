"""A real HTTP server on a port of its own that keeps what it is sent."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "whsec_" + "c2VjcmV0" * 4


@dataclass(frozen=True, slots=True)
class Received:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebhookServer:
    """What a test asks of it, and how it is to answer.

    Attributes:
        port: where it listens.
        received: what came so far.
        statuses: of the next answers; then 204.
        headers: of each answer.
        wait: seconds before each answer.
        body: of each answer; endless if it is None.
    """

    port: int
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    body: bytes | None = b""


@contextmanager
def webhook_server(tls: ssl.SSLContext | None = None) -> Iterator[WebhookServer]:
    """Run a server while the block runs."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    one = _Handler.servers[http.server_port] = WebhookServer(http.server_port)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield one
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        del _Handler.servers[one.port]


class _Handler(BaseHTTPRequestHandler):
    servers: dict[int, WebhookServer] = {}  # noqa: RUF012  # one a port

    def do_POST(self) -> None:
        one = self.servers[self.server.server_address[1]]  # type: ignore[index]  # a tuple
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        one.received.append(Received(self.path, headers, body))
        time.sleep(one.wait)
        self.send_response(one.statuses.pop(0) if one.statuses else 204)
        for name, value in one.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            while one.body is None:
                self.wfile.write(bytes(65536))
            self.wfile.write(one.body)
        except OSError:
            # Who called has hung up: it doesn't read answers.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from benchmarks.queueing import Seen, as_rows, in_flight, load_with

GAUGE = """\
# TYPE rapt_requests_in_flight gauge
rapt_requests_in_flight{transport="http"} 2.0
rapt_requests_in_flight{transport="grpc"} 1.0
# TYPE rapt_other gauge
rapt_other 7.0
"""


class EveryThirdIsRefused(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK, GAUGE.encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        cls = type(self)
        cls.asked += 1
        is_full = cls.asked % 3 == 0
        self._answer(HTTPStatus.SERVICE_UNAVAILABLE if is_full else HTTPStatus.OK, b"{}")

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


async def test_a_crowd_counts_what_was_answered_and_what_was_refused() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), EveryThirdIsRefused) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            seen = await load_with(server.server_port, b"photo", busy=0.5, cost=0.01, seconds=1.0)
        finally:
            server.shutdown()
            thread.join()
    count = EveryThirdIsRefused.asked
    assert seen.rate == count
    assert seen.answered == count - count // 3
    assert seen.refused == pytest.approx(count // 3 / count)
    assert seen.in_flight == 3.0


def test_requests_in_flight_are_those_of_all_transports() -> None:
    assert in_flight(GAUGE) == 3.0


def test_rows_say_what_sizing_counts_with() -> None:
    rows = as_rows(
        [Seen(0.8, 48.5, 3.23, 48.5, 0.0, 50.2, 302.1), Seen(1.5, 94, 61, 57, 0.4, 1, 2)]
    )
    assert rows[2] == "| 0.80 | 48.5 | 4.00 | 3.23 | 48.5 | 0.0% | 50 | 302 |"
    assert rows[3] == "| 1.50 | 94.0 | full | 61.00 | 57.0 | 40.0% | 1 | 2 |"

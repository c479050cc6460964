"""Locust against a real service."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadtests.endpoints import BATCH, PHOTO_GRPC, PHOTO_HTTP, VIDEO
from loadtests.results import Row
from loadtests.run import Load, Target, run_load
from tests.e2e.servers import Server, press_ctrl_c, rapt

RATE, SCALE = 5.0, 0.2  # A second of warm-up and twelve of what counts.


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("l")
    with rapt("inline", folder, RAPT_DETECTOR_PRECISION="f32") as server:
        yield target_of(server)
        press_ctrl_c(server)


def target_of(server: Server) -> Target:
    return Target(f"{server.url}/", server.grpc_target)  # As people write it, with a slash.


def by_endpoint(rows: list[Row], stage: str) -> dict[str, Row]:
    return {row.endpoint: row for row in rows if row.stage == stage}


@pytest.mark.soak
@pytest.mark.parametrize("processes", [1, 2])
def test_every_endpoint_is_called_and_answers_from_one_process_or_two_and_their_master(
    target: Target, tmp_path: Path, processes: int
) -> None:
    report = tmp_path / "pages" / "steady.html"
    rows = by_endpoint(run_load(target, Load("steady", RATE, SCALE, processes), report), "steady")
    assert set(rows) == {PHOTO_HTTP, PHOTO_GRPC, BATCH, VIDEO}
    assert [row.failed + row.refused for row in rows.values()] == [0, 0, 0, 0]
    # 12 s at 5 calls a second, half of them from each process; what a machine misses while it
    # stands still for some seconds is not made up for.
    assert 35 <= sum(row.answered for row in rows.values()) <= 75
    assert PHOTO_HTTP in report.read_text(encoding="utf-8")


@pytest.mark.soak
def test_refusals_are_told_apart_from_failures(tmp_path: Path, folder: Path) -> None:
    with rapt("inline", folder, RAPT_MAX_IN_FLIGHT="1", RAPT_MAX_JOBS="1") as server:
        load = Load("steady", 40.0, scale=0.1)
        rows = by_endpoint(run_load(target_of(server), load, tmp_path / "page.html"), "steady")
    assert sum(row.failed for row in rows.values()) == 0
    assert rows[PHOTO_HTTP].refused > 0
    assert rows[PHOTO_GRPC].refused > 0
    assert rows[PHOTO_HTTP].answered > 0


def test_what_does_not_answer_has_failed(tmp_path: Path) -> None:
    nobody = Target("http://127.0.0.1:9", "127.0.0.1:9")
    rows = by_endpoint(
        run_load(nobody, Load("steady", RATE, scale=0.1), tmp_path / "page.html"), "steady"
    )
    assert sum(row.answered + row.refused for row in rows.values()) == 0
    assert rows[PHOTO_HTTP].failed > 0
    assert rows[PHOTO_GRPC].failed > 0


@pytest.mark.parametrize("content", [b"{}", b"<html></html>"])
def test_a_status_of_200_with_another_answer_has_failed(tmp_path: Path, content: bytes) -> None:
    with answering(content) as url:
        load = Load("steady", RATE, scale=0.1)
        rows = run_load(Target(url, "127.0.0.1:9"), load, tmp_path / "page.html")
    assert [row.answered + row.refused for row in rows] == [0] * len(rows)
    found = by_endpoint(rows, "warm-up") | by_endpoint(rows, "steady")
    assert set(found) == {PHOTO_HTTP, PHOTO_GRPC, BATCH, VIDEO}


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """A server that answers the same to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002  # its name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a short name: BentoML's sockets lie in it."""
    return tmp_path_factory.mktemp("l")

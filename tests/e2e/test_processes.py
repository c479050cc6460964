"""Starting and ending: by `rapt serve`, by `bentoml serve`, and by force."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.servers import RAPT, Server, has_ended, rapt, running, until
from tests.e2e.uploads import uploading
from tests.triton_server import TritonServer

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def odd_place(tmp_path: Path) -> Path:
    """A folder with a package that has the name of ours."""
    place = tmp_path / "place"
    (place / "service").mkdir(parents=True)
    (place / "service" / "__init__.py").write_text("raise RuntimeError('not ours')")
    return place


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a short name: BentoML's sockets lie in it, and their path may have 103 characters."""
    return tmp_path_factory.mktemp("t")


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
def test_it_starts_anywhere_and_kill_9_leaves_nothing_running(
    odd_place: Path, folder: Path, face_jpeg: bytes
) -> None:
    # A proxy that is set has nothing to say about this machine's own ports.
    proxy = "http://127.0.0.1:9"
    with rapt("inline", folder, place=odd_place, http_proxy=proxy, HTTP_PROXY=proxy) as server:
        assert server.post(face_jpeg).status_code == 200
        family = server.family()
        assert len(family) >= 3
        server.process.kill()
        server.process.wait()
        until(lambda: all(has_ended(process) for process in family), 20)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
def test_it_ends_with_an_error_when_bentoml_is_killed_and_leaves_nothing_running(
    folder: Path,
) -> None:
    with rapt("inline", folder) as server:
        family = server.family()
        server.member("bentoml serve").kill()
        assert server.process.wait(20) not in (0, None)
        until(lambda: all(has_ended(process) for process in family), 20)


@pytest.mark.soak
def test_what_a_killed_front_had_in_work_is_not_counted_by_the_next(
    folder: Path, face_jpeg: bytes
) -> None:
    headers = ("content-type: image/jpeg", f"content-length: {len(face_jpeg)}")
    with rapt("inline", folder) as server, uploading(server.port, *headers):
        until(lambda: server.metric("rapt_requests_in_flight") == 1, 10, server)
        front = server.member("_bentoml_impl.worker.service")
        front.kill()
        # Until its parent has heard of it, and starts the next.
        front.wait(30)
        until(lambda: is_ready(server), 60, server)
        assert server.metric("rapt_requests_in_flight") == 0


def test_a_second_server_on_the_same_port_says_that_it_is_taken(server: Server) -> None:
    command = [str(RAPT), "serve", "--port", str(server.port)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # our own words
    assert second.returncode == 1
    assert second.stderr.startswith(f"Error: Can't listen on 127.0.0.1:{server.port}: Address")
    assert second.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "target",
    [
        [],
        ["service.runners:EmotionService"],
        ["service.inline:EmotionService"],
        ["service.triton:EmotionService"],
    ],
)
def test_bentoml_serve_works_as_it_is_and_reports_to_nobody(
    target: list[str], folder: Path, face_jpeg: bytes, triton: TritonServer
) -> None:
    command = [str(Path(sys.executable).with_name("bentoml")), "serve", *target]
    command += ["--host", "127.0.0.1"]
    variables = {"BENTOML_HOME": str(folder / "bentoml"), "__BENTOML_DEBUG_USAGE": "true"}
    variables["RAPT_TRITON_ADDRESS"] = triton.address  # The others don't ask for it.
    with running(command, folder, place=PROJECT, **variables) as server:
        until(lambda: is_ready(server), 60, server)
        assert server.post(face_jpeg).status_code == 200
        family = server.family()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(40) == 0
        until(lambda: all(has_ended(process) for process in family), 10)
        assert not any("Tracking Payload" in line for line in server.lines)


def is_ready(server: Server) -> bool:
    try:
        return server.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False

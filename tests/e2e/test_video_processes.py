"""The front and its workers: started together, ended together, each killed alone."""

import signal
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.ports import free_ports
from tests.e2e.models import readyz
from tests.e2e.servers import RAPT, Server, press_ctrl_c, rapt, running, until, words_of
from tests.service.jobs.fake_analyses import fake_video

PROJECT = Path(__file__).parents[2]
WORKER = "service.worker"


def send(server: Server, content: bytes) -> str:
    headers = {"content-type": "video/mp4"}
    response = httpx.post(f"{server.url}/v1/videos", content=content, headers=headers, timeout=30)
    assert response.status_code == 202, response.text
    place: str = response.headers["location"]
    return place


def worker_of(server: Server) -> psutil.Process | None:
    found = [one for one in server.family() if WORKER in words_of(one)]
    return found[0] if found else None


def workers_alive(server: Server) -> int:
    count: int = readyz(server)["jobs"]["workers"]
    return count


@pytest.mark.soak
def test_a_worker_that_is_killed_is_started_again_and_all_ends_together(folder: Path) -> None:
    with rapt("inline", folder) as server:
        until(lambda: workers_alive(server) == 1, 30, server)
        first = worker_of(server)
        assert first is not None
        first.kill()
        until(lambda: worker_of(server) not in (None, first), 30, server)
        assert any("ended with status -9; it is started again in 1 s" in x for x in server.lines)
        # What it makes of a video without a picture is told, so it works.
        place = send(server, fake_video())
        until(lambda: server.get(place).json()["state"] == "failed", 60, server)
        press_ctrl_c(server)


def test_a_second_installation_of_the_same_home_is_refused(folder: Path) -> None:
    with rapt("inline", folder, RAPT_HOME=str(folder / "rapt")) as server:
        (port,) = free_ports(1)
        command = [str(RAPT), "serve", "--topology", "inline", "--port", str(port)]
        command += ["--grpc-port", "0"]
        environment = {"RAPT_HOME": str(folder / "rapt"), "PYTHONPATH": str(PROJECT)}
        second = subprocess.run(  # noqa: S603  # our own words
            command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        press_ctrl_c(server)
    assert second.returncode == 1
    assert second.stderr == (
        f"Error: {folder / 'rapt' / 'jobs'} is used by another Rapt. End that one, or set "
        "RAPT_HOME to another folder.\n"
    )


def test_who_follows_a_video_does_not_keep_the_service_from_ending(folder: Path) -> None:
    command = [str(RAPT), "serve", "--topology", "inline", "--workers", "0"]
    with running(command, folder) as server:
        until(lambda: any("Rapt is ready" in line for line in server.lines), 90, server)
        assert worker_of(server) is None
        place = send(server, fake_video())
        assert server.get(place).json()["detail"].startswith("No worker is running; ")
        with httpx.stream("GET", f"{server.url}{place}/events", timeout=30) as events:
            assert next(events.iter_lines()) == "event: progress"
            began = time.monotonic()
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(40) == 0
            assert time.monotonic() - began < 20


def test_a_home_told_by_a_relative_path_is_the_same_for_all(folder: Path) -> None:
    # BentoML goes to a folder of its own.
    with rapt("inline", folder, place=folder, RAPT_HOME="rapt") as server:
        until(lambda: workers_alive(server) == 1, 30, server)
        press_ctrl_c(server)
    assert (folder / "rapt" / "jobs" / "rapt.db").exists()

"""A real `rapt serve` in processes of its own, on a free port, with an empty temporary folder."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from benchmarks.ports import free_ports

RAPT = Path(sys.executable).with_name("rapt")
_START_SECONDS = 90.0
_END_SECONDS = 40.0


@dataclass
class Server:
    """What a test asks of a running server.

    Attributes:
        process: what was started.
        port: where it listens.
        grpc_port: where it listens for gRPC.
        folder: its TMPDIR.
        lines: what it has written so far, standard error included.
    """

    process: subprocess.Popen[str]
    port: int
    grpc_port: int
    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def post(self, photo: bytes, kind: str = "image/jpeg") -> httpx.Response:
        headers = {"content-type": kind}
        return httpx.post(f"{self.url}/v1/photos", content=photo, headers=headers, timeout=60)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=30)

    def metric(self, name: str) -> float:
        """A metric's value, summed over its labels; 0 where it has none yet."""
        lines = self.get("/metrics").text.splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith((f"{name} ", f"{name}{{"))
        )

    def family(self) -> list[psutil.Process]:
        """All processes of the server that have not ended."""
        parent = psutil.Process(self.process.pid)
        return [one for one in [parent, *parent.children(recursive=True)] if not has_ended(one)]

    def member(self, words: str) -> psutil.Process:
        """The process whose command line has these words."""
        (found,) = [one for one in self.family() if words in " ".join(words_of(one))]
        return found

    def memory(self) -> int:
        """Bytes of memory that all processes of the server hold (resident)."""
        return sum(_memory_of(process) for process in self.family())

    def memory_at_rest(self) -> int:
        """The same, once all has begun that begins with the server or with the first look at it."""
        until(lambda: any("worker_started" in line for line in self.lines), 60, self)
        self.metric("rapt_jobs")
        return self.memory()


def has_ended(process: psutil.Process) -> bool:
    """Whether a process is gone, or waits but for its parent to hear of it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def words_of(process: psutil.Process) -> list[str]:
    """A process' command line; of one that has ended, none."""
    try:
        words: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return []
    return words


def _memory_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


@contextmanager
def running(
    command: list[str], folder: Path, *, place: Path | None = None, **variables: str
) -> Iterator[Server]:
    """Run a server while the block runs; what it wrote is read line by line.

    Args:
        command: its words; --port is added.
        folder: an empty folder for its temporary files.
        place: the folder it is started in.
        variables: set in its environment.
    """
    port, grpc_port = free_ports(2)
    ours = ("RAPT_", "BENTOML_", "MLFLOW_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    environment = {**inherited, "RAPT_HOME": str(folder / "rapt"), "TMPDIR": str(folder)}
    # All on one port of gRPC would share its calls: each worker may listen beside another.
    environment["RAPT_GRPC_PORT"] = str(grpc_port)
    process = subprocess.Popen(  # noqa: S603  # our own words
        [*command, "--port", str(port)],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment, **variables},
    )
    server = Server(process, port, grpc_port, folder)
    reader = threading.Thread(target=_read, args=(process, server.lines))
    reader.start()
    try:
        yield server
    finally:
        _end(process)
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def rapt(
    topology: str, folder: Path, *, place: Path | None = None, **variables: str
) -> Iterator[Server]:
    """Run `rapt serve` while the block runs, from when it says that it is ready."""
    command = [str(RAPT), "serve", "--topology", topology]
    with running(command, folder, place=place, **variables) as server:
        until(lambda: any("Rapt is ready" in line for line in server.lines), _START_SECONDS, server)
        yield server


def press_ctrl_c(server: Server) -> None:
    """End a server as people do; nothing may be left of it."""
    family = server.family()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(_END_SECONDS) == 0
    until(lambda: not any(one.is_running() for one in family), 10)
    # But for what is kept on purpose.
    kept = server.folder / "rapt" / "jobs"
    assert [path for path in files_of(server.folder) if not path.is_relative_to(kept)] == []


def files_of(folder: Path) -> list[Path]:
    """All files in a folder and those in it, but for what goes while they are listed."""
    # Not rglob, which fails where a folder goes.
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return [path for path in found if path.is_file()]


def until(true: Callable[[], bool], seconds: float, server: Server | None = None) -> None:
    """Wait for something outside this process that can't call back.

    Raises:
        AssertionError: it didn't happen in time, or the server ended before.
    """
    end = time.monotonic() + seconds
    while not true():
        written = "".join(server.lines) if server else ""
        assert time.monotonic() < end, f"not within {seconds} s {written}"
        assert server is None or server.process.poll() is None, f"it ended: {written}"
        time.sleep(0.05)


def _read(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout is not None
    lines.extend(iter(process.stdout.readline, ""))


def _end(process: subprocess.Popen[str]) -> None:
    """End what a failed test left running."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""A service of its own for whoever measures: started on free ports, and ended with the block."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import click
import psutil

from benchmarks.ports import free_ports

_POLL_SECONDS = 0.2
_END_SECONDS = 40.0
_RAPT = Path(sys.executable).with_name("rapt")


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs, with the Triton server behind it if there is one.

    Attributes:
        processes: `rapt serve`, then Triton if there is one; each the root of a family.
        ports: by transport, http and grpc.
    """

    processes: Sequence[psutil.Process]
    ports: dict[str, int]

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return sum(map(_family_seconds, self.processes))

    def front_seconds(self) -> float:
        """CPU time so far of what isn't Triton."""
        return _family_seconds(self.processes[0])


@contextmanager
def running_service(topology: str, *options: str) -> Iterator[Running]:
    """Run `rapt serve` on free ports while the block runs, which begins once it is ready.

    It has an empty home; Triton is started before it where the topology needs one.

    Args:
        topology: inline, runners or triton.
        options: of `rapt serve`, as they are given on the command line.
    """
    with ExitStack() as stack:
        home = stack.enter_context(TemporaryDirectory())
        environment = {**os.environ, "RAPT_HOME": home}
        behind: list[psutil.Process] = []
        if topology == "triton":
            ports = free_ports(3)
            environment["RAPT_TRITON_ADDRESS"] = f"127.0.0.1:{ports[1]}"
            behind.append(stack.enter_context(_triton(ports)))
        http, grpc = free_ports(2)
        command = [str(_RAPT), "serve", "--topology", topology]
        command += ["--port", str(http), "--grpc-port", str(grpc), *options]
        front = stack.enter_context(_started(command, environment, http, "/readyz"))
        yield Running([front, *behind], {"http": http, "grpc": grpc})


@contextmanager
def _triton(ports: list[int]) -> Iterator[psutil.Process]:
    words = [sys.executable, "tests/triton_server.py", "model_repository"]
    command = [*words, *map(str, ports)]
    with _started(command, dict(os.environ), ports[0], "/v2/health/ready") as server:
        yield server


@contextmanager
def _started(
    command: list[str], environment: dict[str, str], port: int, path: str
) -> Iterator[psutil.Process]:
    """Run a server while the block runs, which begins once the path is answered."""
    with (
        TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603  # our own words
            command, env=environment, stdout=subprocess.DEVNULL, stderr=said
        ) as process,
    ):
        try:
            while not _answers(port, path):
                if process.poll() is not None:
                    said.seek(0)
                    why = said.read().decode(errors="replace").strip().rpartition("\n")[2]
                    raise click.ClickException(f"{' '.join(command)} ended: {why}")
                time.sleep(_POLL_SECONDS)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(_END_SECONDS)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=_POLL_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _family_seconds(root: psutil.Process) -> float:
    return sum(map(_cpu_seconds, (root, *root.children(recursive=True))))


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)

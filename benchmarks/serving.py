"""What a photo costs through a running service, its client's own cost left out."""

import json
import os
import socket
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
from tqdm import tqdm

from benchmarks.load import Load

CLIENTS = (1, 8, 32)
TRANSPORTS = ("http", "grpc")
_WARM_UP_SECONDS = 3.0
_TURNS = 4
_POLL_SECONDS = 0.2
_END_SECONDS = 40.0
_RAPT = Path(sys.executable).with_name("rapt")


@dataclass(frozen=True, slots=True)
class Cost:
    """One row: a topology, asked one way by so many clients.

    Attributes:
        topology: inline, runners or triton.
        transport: http or grpc.
        clients: how many asked at once.
        server_ms: CPU milliseconds a photo of all processes of the server.
        load: what the clients saw.
    """

    topology: str
    transport: str
    clients: int
    server_ms: float
    load: Load

    @property
    def photos_a_second(self) -> float:
        """Answered a second."""
        return self.load.answers / self.load.seconds

    @property
    def client_ms(self) -> float:
        """CPU milliseconds a photo of the client."""
        return 1000 * self.load.client_cpu / max(1, self.load.answers)

    def as_figures(self) -> dict[str, str | float]:
        """Return all of it as it is kept."""
        return {
            "topology": self.topology,
            "transport": self.transport,
            "clients": self.clients,
            "server_ms": self.server_ms,
            "client_ms": self.client_ms,
            "p50": self.load.p50,
            "p99": self.load.p99,
            "answers": self.load.answers,
            "refused": self.load.refused,
            "seconds": self.load.seconds,
        }


@dataclass(frozen=True, slots=True)
class Running:
    """A service that runs, with the Triton server behind it if there is one."""

    processes: Sequence[psutil.Process]
    ports: dict[str, int]

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return sum(_cpu_seconds(one) for root in self.processes for one in _family(root))


def measure_topology(topology: str, photo: Path, seconds: float) -> list[Cost]:
    """Start a topology and measure it over both transports; one row for each count of clients.

    The transports take turns, so that whatever else the machine does slows both alike.
    """
    rows: list[Cost] = []
    with _service(topology) as running:
        for transport in TRANSPORTS:
            _ask(running, transport, photo, 1, _WARM_UP_SECONDS)
        for clients in tqdm(CLIENTS, desc=topology, unit="clients"):
            loads = dict.fromkeys(TRANSPORTS, Load())
            cpu = dict.fromkeys(TRANSPORTS, 0.0)
            for transport in TRANSPORTS * _TURNS:
                before = running.cpu_seconds()
                loads[transport] += _ask(running, transport, photo, clients, seconds / _TURNS)
                cpu[transport] += running.cpu_seconds() - before
            for transport, load in loads.items():
                cost = 1000 * cpu[transport] / max(1, load.answers)
                rows.append(Cost(topology, transport, clients, cost, load))
    return rows


def _ask(running: Running, transport: str, photo: Path, clients: int, seconds: float) -> Load:
    command = [sys.executable, "-m", "benchmarks.load", str(photo), "--transport", transport]
    command += ["--port", str(running.ports[transport])]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own words
    said = json.loads(done.stdout)
    return Load(**{**said, "times": tuple(said["times"])})


@contextmanager
def _service(topology: str) -> Iterator[Running]:
    with ExitStack() as stack:
        home = stack.enter_context(TemporaryDirectory())
        environment = {**os.environ, "RAPT_HOME": home}
        behind: list[psutil.Process] = []
        if topology == "triton":
            ports = _free_ports(3)
            environment["RAPT_TRITON_ADDRESS"] = f"127.0.0.1:{ports[1]}"
            behind.append(stack.enter_context(_triton(ports)))
        http, grpc = _free_ports(2)
        command = [str(_RAPT), "serve", "--topology", topology]
        command += ["--port", str(http), "--grpc-port", str(grpc)]
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


def _free_ports(count: int) -> list[int]:
    free = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in free]
    for one in free:
        one.close()
    return ports


def _family(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)

"""What a photo costs through a running service, its client's own cost left out."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from benchmarks.load import Load
from benchmarks.running import Running, running_service

CLIENTS = (1, 8, 32)
TRANSPORTS = ("http", "grpc")
_WARM_UP_SECONDS = 3.0
_TURNS = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """One row: a topology, asked one way by so many clients.

    Attributes:
        topology: inline, runners or triton.
        transport: http or grpc.
        clients: how many asked at once.
        server_ms: CPU milliseconds a photo of all processes of the server.
        front_ms: of those, all but Triton's.
        load: what the clients saw.
    """

    topology: str
    transport: str
    clients: int
    server_ms: float
    front_ms: float
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
            "front_ms": self.front_ms,
            "client_ms": self.client_ms,
            "p50": self.load.p50,
            "p99": self.load.p99,
            "answers": self.load.answers,
            "refused": self.load.refused,
            "seconds": self.load.seconds,
        }


def measure_topology(topology: str, photo: Path, seconds: float) -> list[Cost]:
    """Start a topology and measure it over both transports; one row for each count of clients.

    The transports take turns, so that whatever else the machine does slows both alike.
    """
    rows: list[Cost] = []
    with running_service(topology) as running:
        for transport in TRANSPORTS:
            _ask(running, transport, photo, 1, _WARM_UP_SECONDS)
        for clients in tqdm(CLIENTS, desc=topology, unit="clients"):
            loads = dict.fromkeys(TRANSPORTS, Load())
            cpu, front = (dict.fromkeys(TRANSPORTS, 0.0) for _ in range(2))
            for transport in TRANSPORTS * _TURNS:
                before, before_front = running.cpu_seconds(), running.front_seconds()
                loads[transport] += _ask(running, transport, photo, clients, seconds / _TURNS)
                cpu[transport] += running.cpu_seconds() - before
                front[transport] += running.front_seconds() - before_front
            for transport, load in loads.items():
                server_ms, front_ms = (
                    1000 * seconds[transport] / max(1, load.answers) for seconds in (cpu, front)
                )
                rows.append(Cost(topology, transport, clients, server_ms, front_ms, load))
    return rows


def _ask(running: Running, transport: str, photo: Path, clients: int, seconds: float) -> Load:
    command = [sys.executable, "-m", "benchmarks.load", str(photo), "--transport", transport]
    command += ["--port", str(running.ports[transport])]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own words
    said = json.loads(done.stdout)
    return Load(**{**said, "times": tuple(said["times"])})

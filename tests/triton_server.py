"""A real Triton server in a process of its own, without docker.

It comes from `.venv-triton`, which `make triton` makes: tritonserver out of a wheel, and
`tests/triton_backend` in the place of its onnxruntime backend. Nothing but the standard library is
imported by the program, so that `.venv-triton`'s own Python can run this file.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

PROJECT = Path(__file__).parents[1]
ENVIRONMENT = PROJECT / ".venv-triton"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # the Python backend's, not ours to choose
_START_SECONDS = 60.0
_COUNT_SECONDS = 10.0
_SETTLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a server listens, on this machine only."""

    http: int
    grpc: int
    metrics: int


def free_ports() -> Ports:
    """Three that nobody listens on."""
    # Imported late: as a program, this file finds no other of the project's.
    from benchmarks import ports  # noqa: PLC0415

    return Ports(*ports.free_ports(3))


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one model: rows that were asked for, and runs that it took."""

    inferences: int
    executions: int


def tritonserver() -> Path | None:
    """The server's own folder; None where the environment wasn't made."""
    return next(ENVIRONMENT.glob("lib/python*/site-packages/pytriton/tritonserver"), None)


def command_of(repository: Path, ports: Ports, mark: str) -> list[str]:
    """The command that serves a repository; its shared memory's names begin with ``mark``."""
    home = tritonserver()
    assert home is not None, f"{ENVIRONMENT} is not there: `make triton` makes it"
    options = {
        "model-repository": repository,
        "backend-directory": home / "backends",
        "backend-config": f"python,shm-region-prefix-name={mark}",
        "model-control-mode": "explicit",
        "load-model": "*",
        "http-address": "127.0.0.1",
        "http-port": ports.http,
        "grpc-address": "127.0.0.1",
        "grpc-port": ports.grpc,
        "metrics-address": "127.0.0.1",
        "metrics-port": ports.metrics,
        "allow-gpu-metrics": "false",
    }
    return [str(home / "bin" / "tritonserver"), *(f"--{key}={options[key]}" for key in options)]


def environment() -> dict[str, str]:
    """The Python backend takes the Python that comes first in PATH."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))}
    return {**ours, "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}"}


@dataclass
class TritonServer:
    """A server that a test may kill and start again on the same ports.

    Attributes:
        repository: the model repository that it serves.
        folder: where its log goes.
        ports: where it listens.
    """

    repository: Path
    folder: Path
    ports: Ports
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports.grpc}"

    @property
    def _mark(self) -> str:
        return f"rapt_{self.ports.grpc}_"

    def start(self) -> None:
        """Start, and wait until it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own words
                command_of(self.repository, self.ports, self._mark),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
            )
        end = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < end, self._log.read_text(errors="replace")
            time.sleep(0.1)

    def kill(self) -> None:
        """End all its processes at once, as a crash does."""
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        for left in _SHARED_MEMORY.glob(f"{self._mark}*"):
            left.unlink()

    def counts(self, model: str) -> Counts:
        """What Triton has counted since it loaded a model's newest version, once it stands still.

        Triton counts a little after it answers.
        """
        before, now = None, self._counts(model)
        while now != before:
            time.sleep(_SETTLE_SECONDS)
            before, now = now, self._counts(model)
        return now

    def counts_after(self, model: str, before: Counts, *, inferences: int) -> Counts:
        """The same, once there are so many more."""
        end = time.monotonic() + _COUNT_SECONDS
        while (now := self.counts(model)).inferences < before.inferences + inferences:
            assert time.monotonic() < end, f"{now}, {before} before"
        return now

    def load(self, model: str) -> None:
        """Have it take up what is in the repository now."""
        status, body = self._ask("POST", f"/v2/repository/models/{model}/load")
        assert status == 200, body

    def unload(self, model: str) -> None:
        """Have it serve a model no longer."""
        status, body = self._ask("POST", f"/v2/repository/models/{model}/unload")
        assert status == 200, body

    def _counts(self, model: str) -> Counts:
        status, body = self._ask("GET", f"/v2/models/{model}/stats")
        assert status == 200, body
        counted = json.loads(body)["model_stats"][-1]
        return Counts(counted["inference_count"], counted["execution_count"])

    @property
    def _log(self) -> Path:
        return self.folder / "triton.log"

    def _is_ready(self) -> bool:
        try:
            return self._ask("GET", "/v2/health/ready")[0] == 200
        except (HTTPException, OSError):
            return False

    def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.ports.http, timeout=30)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def triton_server(repository: Path, folder: Path) -> Iterator[TritonServer]:
    """Run a server while the block runs.

    Args:
        repository: the model repository that it serves.
        folder: where its log goes.
    """
    server = TritonServer(repository, folder, free_ports())
    try:
        server.start()
        yield server
    finally:
        server.kill()


if __name__ == "__main__":
    if tritonserver() is None:
        sys.exit(f"{ENVIRONMENT} holds no Triton server: `make triton` says why")
    ports = Ports(*map(int, sys.argv[2:] or (8000, 8001, 8002)))
    command = command_of(Path(sys.argv[1]), ports, f"rapt_{ports.grpc}_")
    os.execve(command[0], command, environment())  # noqa: S606  # our own words

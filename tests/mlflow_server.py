"""A real MLflow server in a process of its own, on a free port of the loopback."""

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

from benchmarks.ports import free_ports

_START_SECONDS = 120.0


@dataclass
class MlflowServer:
    """A server that a test may kill and start again on the same port and folder.

    Attributes:
        folder: its SQLite file and its artifacts.
        port: where it listens.
    """

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        store = f"sqlite:///{self.folder / 'mlflow.db'}"
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--backend-store-uri", store]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        # Without its job runners it is 2 processes in place of 10.
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own words
                command,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **quiet},
                start_new_session=True,
            )
        end = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self._log()
            assert time.monotonic() < end, self._log()
            time.sleep(0.1)

    def kill(self) -> None:
        """End all its processes at once, as a crash does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (HTTPException, OSError):
            return False
        finally:
            connection.close()

    def _log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def mlflow_server(folder: Path) -> Iterator[MlflowServer]:
    """Run a server on an empty folder while the block runs."""
    (port,) = free_ports(1)
    server = MlflowServer(folder, port)
    try:
        server.start()
        yield server
    finally:
        server.kill()

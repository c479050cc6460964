"""Runs Locust without its web page, in processes of its own: it changes how sockets work."""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.running import free_ports
from loadtests.results import Row, read_results

_LOCUSTFILE = Path(__file__).with_name("locustfile.py")
_STOP_SECONDS = 30  # For calls that are under way when their user goes.


@dataclass(frozen=True, slots=True)
class Target:
    """The service that is called.

    Attributes:
        url: of HTTP.
        grpc: HOST:PORT.
    """

    url: str
    grpc: str


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of it; see ``loadtests.shapes``.

    Attributes:
        shape: its name.
        rate: calls a second of the steady stages.
        scale: stages last so many times as long.
        processes: that make the calls; with more than one, a master besides.
    """

    shape: str
    rate: float
    scale: float = 1.0
    processes: int = 1


def run_load(target: Target, load: Load, report: Path) -> list[Row]:
    """Put a load on a service, write Locust's page, and return what came of it.

    Raises:
        click.ClickException: Locust failed.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        outputs = ["--html", str(report), "--json-file", str(figures)]
        calls = [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless"]
        calls += ["--loglevel", "WARNING", "--host", target.url, "--grpc", target.grpc]
        calls += ["--shape", load.shape, "--rate", str(load.rate), "--scale", str(load.scale)]
        calls += ["--stop-timeout", str(_STOP_SECONDS), "--exit-code-on-error", "0"]
        if load.processes == 1:
            _wait_for(_locust([*calls, *outputs]))
        else:
            _run_distributed(calls, outputs, load.processes)
        return read_results(figures.with_suffix(".json"))


def _run_distributed(calls: list[str], outputs: list[str], processes: int) -> None:
    (port,) = free_ports(1)
    there = ["--master-host", "127.0.0.1", "--master-port", str(port)]
    here = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    here += ["--expect-workers", str(processes)]
    with ExitStack() as stack:
        for _ in range(processes):
            stack.callback(_end, _locust([*calls, "--worker", *there]))
        _wait_for(_locust([*calls, *here, *outputs]))


def _locust(command: list[str]) -> subprocess.Popen[bytes]:
    # What goes wrong is on standard error; its tables are not those that are judged.
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  # our own words


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Wait for a worker, whose master tells it to end, and end it where that one can't."""
    try:
        worker.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _wait_for(process: subprocess.Popen[bytes]) -> None:
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    if status != 0:
        raise click.ClickException(f"Locust ended with status {status}; the reason is above.")

"""Runs Locust without its web page, in processes of its own: it changes how sockets work."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.ports import free_ports
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
            _run([*calls, *outputs])
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
            stack.enter_context(_worker([*calls, "--worker", *there]))
        _run([*calls, *here, *outputs])


@contextmanager
def _worker(command: list[str]) -> Iterator[None]:
    """Have a worker while the block runs, at whose end its master tells it to end."""
    with _locust(command) as worker:
        yield
        try:
            worker.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()


def _run(command: list[str]) -> None:
    with _locust(command) as process:
        status = process.wait()
    if status != 0:
        raise click.ClickException(f"Locust ended with status {status}; the reason is above.")


@contextmanager
def _locust(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Have a Locust while the block runs; a block that is broken off wants none of its figures."""
    # What goes wrong is on standard error; its tables are not those that are judged.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603  # our own words
        try:
            yield process
        except BaseException:
            process.kill()
            raise

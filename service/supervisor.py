"""Starts the service, says when it is ready, and ends all of it.

BentoML runs as a child process, and beside it workers for jobs. All are asked to end on Ctrl-C or
SIGTERM, and by the kernel should this process be killed. A worker that ends by itself is started
again; where BentoML ends, all of it does.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from emotion.errors import InvalidRequest, ModelUnavailable
from service.data_folder import DataFolder
from service.kept_running import KeptRunning
from service.lifeline import lifeline

Topology = Literal["runners", "inline", "triton"]

_NAME_VARIABLE = "RAPT_EXECUTOR_ID"
_KAFKA_VARIABLE = "RAPT_KAFKA_SERVERS"
_START_SECONDS = 120.0
# The front answers what it has in work, for a photo's deadline at most, and then closes.
_DEADLINE_VARIABLE, _DEADLINE_SECONDS = "RAPT_DEADLINE_SECONDS", 30.0
_CLOSING_SECONDS = 20.0
_POLL_SECONDS = 0.2
_PROBE_SECONDS = 5.0
# How long an idle connection is kept. Proxies and clients mostly close theirs after 60 s or less;
# if the service were first, it could do so just as a request comes in, and that would fail.
_KEEP_ALIVE_SECONDS = 75
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a key, not an address to bind
# Where the package that runs was imported from: BentoML would take one of the same name from
# the folder that the command was given in.
_SOURCES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the service listens, and how it is put together.

    Attributes:
        host: for HTTP and gRPC.
        port: for HTTP.
        topology: who stands behind the stages.
        grpc_port: for gRPC; 0 is no gRPC.
    """

    host: str
    port: int
    topology: Topology
    grpc_port: int = 0

    @property
    def local_host(self) -> str:
        """The host at which this machine reaches it."""
        return _LOOPBACK.get(self.host, self.host)

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        return f"http://{self._local(self.port)}"

    @property
    def grpc_target(self) -> str:
        """Where this machine reaches gRPC."""
        return self._local(self.grpc_port)

    def _local(self, port: int) -> str:
        host = self.local_host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def serve_until_told(address: Address, on_ready: Callable[[], None], workers: int = 0) -> int:
    """Run the service until it ends or is told to.

    Args:
        address: where.
        on_ready: called once, when photos are answered.
        workers: how many are to work on jobs; with none, the data folder is left to others.

    Returns:
        0 if it was told to end, else BentoML's exit status.

    Raises:
        InvalidRequest: the host is unknown, a port is taken, or the data folder is another's or
            can't be made.
        ModelUnavailable: the service didn't become ready.
    """
    if address.port == address.grpc_port:
        raise InvalidRequest("HTTP and gRPC need a port each: choose with --port and --grpc-port.")
    interface = _claim(address.host, address.port, "--port")
    if address.grpc_port:
        _claim(address.host, address.grpc_port, "--grpc-port")
    told = _Told()
    hold = DataFolder.of_home().held() if workers else nullcontext(dict[str, str]())
    with hold as variables, _running(address, interface, variables) as server:
        if not _wait_until_ready(address, server, told):
            return 0
        with _working(workers, variables) as crew:
            on_ready()
            while server.poll() is None and not told.to_end:
                time.sleep(_POLL_SECONDS)
                for worker in crew:
                    worker.look()
            # Now, and not when the workers have ended: it takes no more connections meanwhile.
            _ask_to_end(server)
        return 0 if told.to_end else server.returncode


class _Told:
    """Remembers that this process was told to end."""

    def __init__(self) -> None:
        self.to_end = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:  # noqa: ARG002  # signal's signature
        self.to_end = True


def _claim(host: str, port: int, option: str) -> str:
    """Return the numeric address to listen on, which BentoML insists on, once it is free."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, _, _, place = found[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise InvalidRequest(
            f"Can't listen on {host}:{port}: {error.strerror}. "
            f"Choose another with --host and {option}."
        ) from error
    return str(place[0])


@contextmanager
def _working(count: int, variables: dict[str, str]) -> Iterator[list[KeptRunning]]:
    """Keep workers running while the block runs, and what joins them to Kafka, if settings do."""
    command = [sys.executable, "-P", "-m", "service.worker"]
    name = os.environ.get(_NAME_VARIABLE, "")
    crew: list[KeptRunning] = []
    try:
        for number in range(1, count + 1):
            # Of several, each needs a name of its own.
            named = {_NAME_VARIABLE: f"{name}-{number}"} if name and count > 1 else {}
            environment = {**os.environ, **_home(), **variables, **named}
            crew.append(KeptRunning(command, environment))
        if count and os.environ.get(_KAFKA_VARIABLE):
            # Beside its workers: without any, the data folder is left to others.
            bridge = [sys.executable, "-P", "-m", "service.kafka"]
            crew.append(KeptRunning(bridge, {**os.environ, **_home(), **variables}))
        yield crew
    finally:
        for worker in crew:
            worker.ask_to_end()
        for worker in crew:
            worker.end()


def _home() -> dict[str, str]:
    """Return RAPT_HOME as all processes understand it: BentoML's go to a folder of their own."""
    home = os.environ.get("RAPT_HOME")
    return {"RAPT_HOME": str(Path(home).expanduser().absolute())} if home else {}


@contextmanager
def _running(
    address: Address, interface: str, variables: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run BentoML while the block runs, and end it in any case."""
    service = f"service.{address.topology}:EmotionService"
    command = [sys.executable, "-P", "-m", "bentoml", "serve", service]
    command += ["--working-dir", str(_SOURCES), "--host", interface, "--port", str(address.port)]
    command += ["--timeout-keep-alive", str(_KEEP_ALIVE_SECONDS)]
    # Each server keeps its figures in a folder of its own: two in one clear each other's.
    with TemporaryDirectory(prefix="rapt-", ignore_cleanup_errors=True) as folder:
        # A session of its own: the terminal's Ctrl-C reaches this process alone, which passes
        # it on.
        server = subprocess.Popen(  # noqa: S603  # our own words
            command,
            start_new_session=True,
            preexec_fn=lifeline(),  # noqa: PLW1509  # no threads run here
            env={
                **os.environ,
                **_home(),
                **variables,
                "BENTOML_HOME": folder,
                "RAPT_GRPC_HOST": interface,
                "RAPT_GRPC_PORT": str(address.grpc_port),
            },
        )
        try:
            yield server
        finally:
            _end(server, _end_seconds())


def _wait_until_ready(address: Address, server: subprocess.Popen[bytes], told: _Told) -> bool:
    """Return True once ready, False if told to end first."""
    deadline = time.monotonic() + _START_SECONDS
    reason = ""
    while time.monotonic() < deadline:
        if told.to_end:
            return False
        if server.poll() is not None:
            raise ModelUnavailable(
                f"The service ended with status {server.returncode} before it was ready; "
                "the reason is above."
            )
        is_ready, reason = _ask(address)
        if is_ready:
            return True
        time.sleep(_POLL_SECONDS)
    message = f"The service was not ready within {_START_SECONDS:.0f} s. {reason}"
    raise ModelUnavailable(message.rstrip())


def _ask(address: Address) -> tuple[bool, str]:
    """Return whether it is ready, and why not if it says so."""
    # Not urllib, which would ask a proxy that the environment names.
    connection = http.client.HTTPConnection(
        address.local_host, address.port, timeout=_PROBE_SECONDS
    )
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        if response.status == http.client.OK:
            return True, ""
        return False, str(json.loads(response.read()).get("detail", ""))
    except (http.client.HTTPException, OSError, ValueError):
        return False, ""
    finally:
        connection.close()


def _end_seconds() -> float:
    # Not by the settings, whose libraries this process does without. They take empty for unset.
    return float(os.environ.get(_DEADLINE_VARIABLE) or _DEADLINE_SECONDS) + _CLOSING_SECONDS


def _ask_to_end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()


def _end(server: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask all of it to end, then make it."""
    _ask_to_end(server)
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        # Its children follow it, by their lifelines.
        server.kill()
        server.wait()

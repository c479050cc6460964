"""Starts the service, says when it is ready, and ends all of it.

BentoML runs as a child process. It is asked to end on Ctrl-C or SIGTERM, and by the kernel
should this process be killed.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from emotion.errors import InvalidRequest, ModelUnavailable
from service.settings import Topology

_START_SECONDS = 120.0
_END_SECONDS = 30.0
_POLL_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Address:
    """Where the service listens, and how it is put together."""

    host: str
    port: int
    topology: Topology

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  # compared
        return f"http://{host}:{self.port}"


def serve_until_told(address: Address, on_ready: Callable[[], None]) -> int:
    """Run the service until it ends or is told to.

    Args:
        address: where.
        on_ready: called once, when photos are answered.

    Returns:
        0 if it was told to end, else BentoML's exit status.

    Raises:
        InvalidRequest: the port is taken.
        ModelUnavailable: it didn't become ready.
    """
    _check_port(address)
    told = _Told()
    with _start(address) as server:
        try:
            if _wait_until_ready(address, server, told):
                on_ready()
            while server.poll() is None and not told.to_end:
                time.sleep(_POLL_SECONDS)
        finally:
            _end(server)
        return 0 if told.to_end else server.returncode


class _Told:
    """Remembers that this process was told to end."""

    def __init__(self) -> None:
        self.to_end = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:  # noqa: ARG002  # signal's signature
        self.to_end = True


def _check_port(address: Address) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise InvalidRequest(
                f"Can't listen on {address.host}:{address.port}: {error.strerror}. "
                "Choose another with --port."
            ) from error


def _start(address: Address) -> subprocess.Popen[bytes]:
    service = f"service.{address.topology}:EmotionService"
    command = [sys.executable, "-m", "bentoml", "serve", service]
    command += ["--host", address.host, "--port", str(address.port)]
    # A session of its own: the terminal's Ctrl-C reaches this process alone, which passes it on.
    return subprocess.Popen(  # noqa: S603  # our own words
        command,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # no threads run yet
        env={**os.environ, "BENTOML_DO_NOT_TRACK": "True"},
    )


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_ready(address: Address, server: subprocess.Popen[bytes], told: _Told) -> bool:
    """Return True once ready, False if told to end first."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if told.to_end:
            return False
        if server.poll() is not None:
            raise ModelUnavailable(
                f"The service ended with status {server.returncode} before it was ready; "
                "the reason is above."
            )
        if _answers(f"{address.url}/readyz"):
            return True
        time.sleep(_POLL_SECONDS)
    raise ModelUnavailable(f"The service was not ready within {_START_SECONDS:.0f} s.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # our own http URL
            return bool(response.status == 200)  # noqa: PLR2004  # HTTP's OK
    except (urllib.error.URLError, OSError):
        return False


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask all of it to end, then make it."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()

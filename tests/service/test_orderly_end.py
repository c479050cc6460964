"""BentoML's supervisor with processes that tell when they end, in a process of its own."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.ports import free_ports

# Says when it has begun, and takes a while to end; the front takes no more connections then.
_CHILD = r"""
import os, signal, sys, time
name, seconds, listener, *more = sys.argv[1:]
def say(what):
    os.write(1, f"{name} {what}\n".encode())
def end(*_):
    if name == "service":
        os.close(int(listener))
    say("ends")
    time.sleep(float(seconds))
    say("ended")
    sys.exit()
signal.signal(signal.SIGTERM, end)
say(" ".join(["began", *more]))
while True:
    time.sleep(1)
"""
_SUPERVISOR = f"""
import sys
from service.orderly_end import end_front_first
end_front_first(7)
from bentoml._internal.utils import circus
from bentoml.serving import create_watcher
from circus.sockets import CircusSocket
listener = CircusSocket(name="_bento_api_server", host="127.0.0.1", port=int(sys.argv[1]))
place = "$(circus.sockets._bento_api_server)"
watchers = [
    create_watcher("service_Model", ["-c", {_CHILD!r}, "service_Model", "0", "-1"]),
    create_watcher("service", ["-c", {_CHILD!r}, "service", "0.6", place, *sys.argv[2:]]),
]
circus.create_standalone_arbiter(watchers, sockets=[listener]).start()
"""


@contextmanager
def supervised(
    *given: str, limit: str = "--timeout-graceful-shutdown 7"
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The supervisor, once its processes have begun, and the port where its front listens.

    Args:
        given: options that BentoML gives the front.
        limit: the option that it ends up with.
    """
    (port,) = free_ports(1)
    with subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", _SUPERVISOR, str(port), *given], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            begun = {process.stdout.readline(), process.stdout.readline()}
            assert begun == {f"service began {limit}\n", "service_Model began\n"}
            yield process, port
        finally:
            process.terminate()


@pytest.mark.parametrize("times", [1, 3])
def test_the_front_ends_before_its_models_however_often_it_is_told(times: int) -> None:
    with supervised() as (process, _):
        for _ in range(times):
            process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        lines = process.stdout.readlines()
        assert process.wait(20) == 0
    ends = ["service ends\n", "service ended\n", "service_Model ends\n", "service_Model ended\n"]
    assert lines == ends


def test_while_the_front_ends_nobody_holds_its_port_open() -> None:
    with supervised() as (process, port):
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "service ends\n"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        process.stdout.read()
        assert process.wait(20) == 0


def test_another_limit_of_the_front_s_end_is_kept() -> None:
    given = "--timeout-graceful-shutdown", "60"
    with supervised(*given, limit=" ".join(given)) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0

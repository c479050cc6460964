"""A gate before a real server: a port that leads to it, and can be shut and opened."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

_BYTES = 65_536


class Gate:
    """Passes bytes on between whoever connects and a server.

    Attributes:
        port: of the loopback, where it listens, even while it is shut.
        passed: bytes that came from the server so far.
    """

    def __init__(self, target: int | str) -> None:
        """Listen.

        Args:
            target: the server's port of the loopback, or the path of its socket.
        """
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._is_shut = False
        self._shut_after: int | None = None
        self._delay = 0.0
        self._flows = threading.Event()
        self._flows.set()
        self.port = int(self._listener.getsockname()[1])
        self.passed = 0
        self._run(self._accept)

    def shut(self) -> None:
        """Cut all connections, and each that comes."""
        with self._lock:
            self._is_shut = True
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def shut_after(self, passed: int) -> None:
        """Shut itself when so many bytes came from the server."""
        self._shut_after = passed

    def slow(self, seconds: float) -> None:
        """Hold each piece back for so long, in either direction."""
        self._delay = seconds

    def hold(self) -> None:
        """Keep all connections and pass nothing on, as a server that hangs does."""
        self._flows.clear()

    def open(self) -> None:
        """Let everybody through again, and what was held."""
        with self._lock:
            self._is_shut, self._shut_after = False, None
        self._flows.set()

    def close(self) -> None:
        """Shut it for good."""
        self.shut()
        self._flows.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                server = None if self._is_shut else self._connect()
                if server is None:
                    caller.close()
                    continue
                self._open |= {caller, server}
            self._run(partial(self._join, caller, server))

    def _connect(self) -> socket.socket | None:
        try:
            if isinstance(self._target, int):
                return socket.create_connection(("127.0.0.1", self._target))
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
        except OSError:
            return None
        return server

    def _join(self, caller: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._copy, args=(server, caller), kwargs={"counted": True})
        back.start()
        self._copy(caller, server)
        back.join()
        with self._lock:
            self._open -= {caller, server}
        caller.close()
        server.close()

    def _copy(self, source: socket.socket, sink: socket.socket, *, counted: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(_BYTES):
                time.sleep(self._delay)
                self._flows.wait()
                sink.sendall(data)
                if counted:
                    self.passed += len(data)
                    if self._shut_after is not None and self.passed >= self._shut_after:
                        self.shut()
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def gate_before(target: int | str) -> Iterator[Gate]:
    """Stand before a server while the block runs."""
    gate = Gate(target)
    try:
        yield gate
    finally:
        gate.close()

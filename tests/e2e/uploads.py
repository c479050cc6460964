"""Requests that no well-behaved client makes, over a bare socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

_TIMEOUT = 30.0


class Upload:
    """A POST of a photo, sent piece by piece."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, content: bytes) -> None:
        self._connection.sendall(content)

    def send_chunk(self, content: bytes) -> None:
        """One chunk of a body whose length isn't told."""
        self.send(b"%x\r\n%b\r\n" % (len(content), content))

    def answer(self) -> bytes:
        """All that comes until the server closes the connection."""
        return b"".join(iter(lambda: self._connection.recv(65536), b""))

    def status(self) -> int:
        """The status of the answer, as soon as it begins."""
        return int(self._connection.recv(65536).split(b" ", 2)[1])

    def wait_for_answer(self) -> None:
        """Until it begins; nothing of it is read."""
        self._connection.recv(1, socket.MSG_PEEK)

    def hang_up(self) -> None:
        self._connection.close()


@contextmanager
def uploading(port: int, *headers: str, path: str = "/v1/photos") -> Iterator[Upload]:
    """Send the head of a request, and close the connection when the block ends."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
        connection.sendall("\r\n".join(lines).encode())
        yield Upload(connection)

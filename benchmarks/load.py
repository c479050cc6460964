"""``python -m benchmarks.load``: clients that send one photo again and again, each in its turn.

A process of its own, so that its CPU time is not the server's. Prints one JSON object.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import click
import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

_TIMEOUT_SECONDS = 60.0
_OK, _BUSY = 200, 503

# Sends the photo; True if it was answered, False if the server said that it is full.
Ask = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. Loads that followed each other add up to one.

    Attributes:
        times: of the photos that were answered, in milliseconds.
        refused: photos that were refused because the server was full.
        seconds: how long it took.
        client_cpu: CPU seconds of all clients together.
    """

    times: tuple[float, ...] = ()
    refused: int = 0
    seconds: float = 0.0
    client_cpu: float = 0.0

    @property
    def answers(self) -> int:
        """Photos that were answered."""
        return len(self.times)

    @property
    def p50(self) -> float:
        """Median time to an answer, in milliseconds."""
        return float(np.median(self.times))

    @property
    def p99(self) -> float:
        """The time that one in a hundred answers took longer than, in milliseconds."""
        return float(np.percentile(self.times, 99))

    def __add__(self, later: "Load") -> "Load":
        """Return both as one."""
        return Load(
            self.times + later.times,
            self.refused + later.refused,
            self.seconds + later.seconds,
            self.client_cpu + later.client_cpu,
        )


@dataclass
class _Client:
    """One client, in a thread."""

    ask: Ask
    until: float
    times: list[float] = field(default_factory=list)
    refused: int = 0
    failure: Exception | None = None

    def run(self) -> None:
        try:
            while (began := time.monotonic()) < self.until:
                if self.ask():
                    self.times.append(time.monotonic() - began)
                else:
                    self.refused += 1
        except (OSError, RuntimeError, InferenceServerException) as error:
            self.failure = error


def over_http(port: int, photo: bytes) -> Ask:
    """Return a client of ``POST /v1/photos`` on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)

    def ask() -> bool:
        connection.request("POST", "/v1/photos", photo, {"Content-Type": "image/jpeg"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status not in (_OK, _BUSY):
            raise RuntimeError(f"answered {answer.status}: {body[:200]!r}")
        return answer.status == _OK

    return ask


def over_grpc(port: int, photo: bytes) -> Ask:
    """Return a client of the model ``emotion`` of the open inference protocol."""
    # Or all clients of this process would share one connection.
    own_connection = [("grpc.use_local_subchannel_pool", 1)]
    client = InferenceServerClient(f"127.0.0.1:{port}", channel_args=own_connection)
    image = InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(np.array([photo], dtype=np.object_))

    def ask() -> bool:
        try:
            client.infer("emotion", [image], client_timeout=_TIMEOUT_SECONDS)
        except InferenceServerException as error:
            if error.status() in ("StatusCode.RESOURCE_EXHAUSTED", "StatusCode.UNAVAILABLE"):
                return False
            raise
        return True

    return ask


def put_load(clients: list[Ask], seconds: float) -> Load:
    """Let all clients ask for so long.

    Raises:
        RuntimeError: a client got another answer than a result or a refusal.
    """
    began, cpu = time.monotonic(), time.process_time()
    crowd = [_Client(ask, began + seconds) for ask in clients]
    threads = [threading.Thread(target=client.run) for client in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in crowd:
        if client.failure is not None:
            raise RuntimeError(str(client.failure)) from client.failure
    return Load(
        times=tuple(round(1000 * time, 3) for client in crowd for time in client.times),
        refused=sum(client.refused for client in crowd),
        seconds=time.monotonic() - began,
        client_cpu=time.process_time() - cpu,
    )


@click.command()
@click.argument("photo", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", type=int, required=True)
@click.option("--transport", type=click.Choice(["http", "grpc"]), default="http")
@click.option("--clients", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--seconds", type=float, default=10.0, show_default=True)
def main(photo: Path, port: int, transport: str, clients: int, seconds: float) -> None:
    """Send PHOTO from so many clients for so long, and print what came of it."""
    connect = over_http if transport == "http" else over_grpc
    content = photo.read_bytes()
    load = put_load([connect(port, content) for _ in range(clients)], seconds)
    click.echo(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()

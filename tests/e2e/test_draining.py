"""SIGTERM under load: what is in work is answered, in every topology, and all ends in time."""

import asyncio
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import grpc
import httpx
import pytest

from tests.clips import steady, walking, write_clip
from tests.e2e.ending_calls import ANSWERED, REFUSED, calling
from tests.e2e.servers import Server, files_of, rapt, running, until
from tests.e2e.uploads import uploading
from tests.service.grpc.client import INFER, asking
from tests.triton_server import TritonServer

PROJECT = Path(__file__).parents[2]
CLIENTS = 16
DEADLINE = 30
# BentoML's models close connections that were idle for 5 s: a later photo needs new ones.
LONG = 6.5

Started = AbstractContextManager[Server]


@contextmanager
def bentoml(target: str, folder: Path, **variables: str) -> Iterator[Server]:
    """Run `bentoml serve` while the block runs, from when it is ready: so it runs in a cluster."""
    command = [str(Path(sys.executable).with_name("bentoml")), "serve", target]
    command += ["--host", "127.0.0.1"]
    home = str(folder / "bentoml")
    with running(command, folder, place=PROJECT, BENTOML_HOME=home, **variables) as server:
        until(lambda: is_ready(server), 60, server)
        yield server


def is_ready(server: Server) -> bool:
    try:
        return server.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


# Beside the one of most processes, which `make test` has.
OTHERS = [
    pytest.param(name, marks=pytest.mark.soak) for name in ("inline", "triton", "bentoml serve")
]


@pytest.fixture(params=["runners", *OTHERS])
def started(request: pytest.FixtureRequest, folder: Path) -> Started:
    """A server of the test's own, for it ends it."""
    settings = {"RAPT_DETECTOR_PRECISION": "f32"}
    if request.param == "bentoml serve":
        return bentoml("service.runners:EmotionService", folder, **settings)
    if request.param == "triton":
        triton: TritonServer = request.getfixturevalue("triton")
        settings["RAPT_TRITON_ADDRESS"] = triton.address
    return rapt(request.param, folder, place=None, **settings)


async def test_no_request_in_flight_fails(started: Started, face_jpeg: bytes) -> None:
    with started as server:
        async with calling(server, face_jpeg, CLIENTS) as calls:
            while calls.before < 2 * CLIENTS:
                await asyncio.sleep(0.05)
            family = server.family()
            calls.tell()
            server.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(server.process.wait, DEADLINE)
        seconds = time.monotonic() - calls.told_at
        assert calls.in_flight == {ANSWERED: calls.in_flight.total()}
        assert calls.in_flight.total() > 0
        # Who calls later is answered, or told that nobody is there any more.
        assert set(calls.later) <= {ANSWERED, REFUSED}
        assert status == 0
        assert seconds < DEADLINE
        until(lambda: not any(one.is_running() for one in family), 10)


def test_a_photo_that_arrives_slowly_is_answered(started: Started, face_jpeg: bytes) -> None:
    headers = ("content-type: image/jpeg", f"content-length: {len(face_jpeg)}")
    may_send = threading.Event()

    def messages() -> Iterator[bytes]:
        may_send.wait(60)
        yield asking(face_jpeg).SerializeToString()

    with (
        started as server,
        grpc.insecure_channel(server.grpc_target) as channel,
        uploading(server.port, *headers) as upload,
    ):
        upload.send(face_jpeg[:1000])
        call = channel.stream_unary(INFER).future(messages(), timeout=60)
        until(lambda: server.metric("rapt_requests_in_flight") == 2, 10, server)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(LONG)
        assert server.process.poll() is None
        with pytest.raises(httpx.ConnectError):
            server.get("/readyz")
        upload.send(face_jpeg[1000:])
        may_send.set()
        assert upload.status() == 200
        assert call.exception(30) is None
        assert server.process.wait(DEADLINE) == 0


def test_a_worker_that_hangs_does_not_keep_the_front_open(folder: Path) -> None:
    with rapt("inline", folder) as server:
        until(lambda: server.get("/readyz").status_code == 200, 10, server)
        worker = server.member("service.worker")
        worker.suspend()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not is_ready(server), 10, server)
        with pytest.raises(httpx.ConnectError):
            server.get("/readyz")
        assert server.process.poll() is None
        worker.resume()
        assert server.process.wait(DEADLINE) == 0


def test_an_upload_that_does_not_end_is_given_up_at_the_deadline(folder: Path) -> None:
    clip = write_clip(folder / "clip.mp4", walking(20), steady(10, 2)).read_bytes()
    headers = ("content-type: video/mp4", f"content-length: {len(clip)}")
    with rapt("inline", folder, RAPT_DEADLINE_SECONDS="2") as server:
        with uploading(server.port, *headers, path="/v1/videos") as upload:
            upload.send(clip[:-100])
            until(lambda: server.metric("rapt_jobs") == 1, 10, server)
            server.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert upload.status() == 503
            assert server.process.wait(DEADLINE) == 0
        assert 2 < time.monotonic() - began < 15
        assert files_of(server.folder / "rapt" / "jobs" / "objects") == []


def test_who_goes_on_sending_when_given_up_is_told_and_not_reset(folder: Path) -> None:
    clip = write_clip(folder / "clip.mp4", walking(20), steady(10, 2)).read_bytes()
    # More than the sockets between them hold.
    rest = bytes(12 * 2**20)
    headers = ("content-type: video/mp4", f"content-length: {len(clip) + len(rest)}")
    with rapt("inline", folder, RAPT_DEADLINE_SECONDS="1") as server:
        with uploading(server.port, *headers, path="/v1/videos") as upload:
            upload.send(clip)
            until(lambda: server.metric("rapt_jobs") == 1, 10, server)
            server.process.send_signal(signal.SIGTERM)
            upload.wait_for_answer()
            upload.send(rest)
            assert upload.answer().startswith(b"HTTP/1.1 503 ")
        assert server.process.wait(DEADLINE) == 0


def test_who_does_not_read_keeps_nobody_from_ending(folder: Path) -> None:
    asked = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answered = -1.0

    def is_stuck() -> bool:
        nonlocal answered
        time.sleep(0.3)
        before, answered = answered, server.metric("rapt_http_requests_total")
        return answered == before > 0

    with rapt("inline", folder, RAPT_DEADLINE_SECONDS="1") as server, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", server.port))
        # Their answers are more than the sockets between them hold.
        reader.sendall(10 * asked)
        until(is_stuck, 10, server)
        assert answered < 10
        family = server.family()
        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert server.process.wait(DEADLINE) == 0
        # Before it would have been killed.
        assert time.monotonic() - began < 18
        until(lambda: not any(one.is_running() for one in family), 10)

"""A real S3 server (SeaweedFS) in a process of its own, on a free port of the loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import obstore
from obstore.store import S3Store

ACCESS_KEY = "reader"
SECRET = "a secret for tests"  # noqa: S105  # of a server on the loopback
OPEN_BUCKET = "open"  # anybody may read it
_START_SECONDS = 60.0
_PORTS = 7  # master, volume and filer with a gRPC port each, and S3


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server.

    Attributes:
        port: where it speaks S3.
    """

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to read from it, as environment variables."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def make_bucket(self, name: str, objects: Mapping[str, bytes]) -> None:
        """Make a bucket with objects; the server makes it with the first of them."""
        store = self.store(name)
        for key, content in objects.items():
            obstore.put(store, key, content)

    def store(self, bucket: str) -> S3Store:
        return S3Store(
            bucket,
            endpoint=f"http://127.0.0.1:{self.port}",
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
        )


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server on an empty folder while the block runs."""
    master, master_rpc, volume, volume_rpc, filer, filer_rpc, s3 = _free_ports()
    rights = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "List", "Write"],
    }
    # Google's store answers the same requests, and its client can be told to sign nothing.
    anybody = {"name": "anonymous", "actions": [f"Read:{OPEN_BUCKET}", f"List:{OPEN_BUCKET}"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [rights, anybody]}), encoding="utf-8")
    (folder / "data").mkdir()
    command = [
        str(Path(sys.executable).with_name("weed")), "server",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}", "-volume.max=20",
        "-master.volumeSizeLimitMB=64", f"-master.port={master}", f"-master.port.grpc={master_rpc}",
        f"-volume.port={volume}", f"-volume.port.grpc={volume_rpc}",
        f"-filer.port={filer}", f"-filer.port.grpc={filer_rpc}",
        "-s3", f"-s3.port={s3}", f"-s3.config={folder / 's3.json'}", "-s3.iam=false",
        # Catalogues of theirs, on ports of their own that a second server would find taken.
        "-s3.port.iceberg=0", "-s3.port.lance=0",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # our own words
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(s3, process, folder / "server.log")
        yield S3Server(s3)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_ports() -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(_PORTS)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(port):
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < end, log.read_text(errors="replace")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()

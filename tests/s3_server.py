"""A real S3 server (SeaweedFS) in a process of its own, on a free port of the loopback."""

import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import obstore
from obstore.store import S3Store

from benchmarks.ports import free_ports

ACCESS_KEY = "reader"
SECRET = "a secret for tests"  # noqa: S105  # of a server on the loopback
JOBS_BUCKET = "jobs"
OPEN_BUCKET = "open"  # anybody may read it
_START_SECONDS = 60.0
_STARTS = 3
_PORTS = 8  # master, volume, filer and S3 with a gRPC port each


@dataclass
class S3Server:
    """A server, and what it keeps in a folder.

    Attributes:
        port: where it speaks S3.
    """

    folder: Path
    ports: tuple[int, ...]
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def port(self) -> int:
        return self.ports[-1]

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

    def unfinished(self, bucket: str, prefix: str) -> int:
        """How many multipart uploads were begun under a prefix, and not completed or aborted."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": f"127.0.0.1:{self.port}", "x-amz-date": now}
        signed["x-amz-content-sha256"] = sha256(b"").hexdigest()
        names = ";".join(sorted(signed))
        lines = [f"{name}:{signed[name]}" for name in sorted(signed)]
        asked = ["GET", f"/{bucket}", "uploads=", *lines, "", names, sha256(b"").hexdigest()]
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        scope = [now[:8], "us-east-1", "s3", "aws4_request"]
        digest = sha256("\n".join(asked).encode()).hexdigest()
        to_sign = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), digest])
        key = f"AWS4{SECRET}".encode()
        for part in (*scope, to_sign):
            key = hmac.digest(key, part.encode(), "sha256")
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{'/'.join(scope)}, "
            f"SignedHeaders={names}, Signature={key.hex()}"
        )
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", f"/{bucket}?uploads=", headers=signed)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            return body.count(f"<Key>{prefix}/".encode())
        finally:
            connection.close()

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

    def start(self) -> bool:
        """Run it; return whether it answers. Somebody else may have taken one of its ports."""
        master, master_rpc, volume, volume_rpc, filer, filer_rpc, s3_rpc, s3 = self.ports
        command = [
            str(Path(sys.executable).with_name("weed")), "server",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder / 'data'}",
            "-volume.max=20", "-master.volumeSizeLimitMB=64",
            f"-master.port={master}", f"-master.port.grpc={master_rpc}",
            f"-volume.port={volume}", f"-volume.port.grpc={volume_rpc}",
            f"-filer.port={filer}", f"-filer.port.grpc={filer_rpc}",
            "-s3", f"-s3.port={s3}", f"-s3.port.grpc={s3_rpc}",
            f"-s3.config={self.folder / 's3.json'}", "-s3.iam=false",
            # Else they have ports that are the same for all.
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
        ]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own words
                command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            if _answers(s3):
                return True
            time.sleep(0.1)
        self.stop()
        return False

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        # Named for its ports, and left by whoever is killed.
        for port in self.ports:
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108  # its own choice
                socket_file.unlink()


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server on an empty folder while the block runs."""
    rights = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "List", "Write"],
    }
    # Google's store answers the same requests, and its client can be told to sign nothing.
    anybody = {"name": "anonymous", "actions": [f"Read:{OPEN_BUCKET}", f"List:{OPEN_BUCKET}"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [rights, anybody]}), encoding="utf-8")
    (folder / "data").mkdir()
    for _ in range(_STARTS):
        server = S3Server(folder, tuple(free_ports(_PORTS)))
        if server.start():
            break
    else:
        raise AssertionError((folder / "server.log").read_text(errors="replace")[-2000:])
    try:
        yield server
    finally:
        server.stop()


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()

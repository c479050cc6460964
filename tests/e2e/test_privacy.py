"""A photo is never written to disk or to a log."""

from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.e2e.servers import Server, files_of, until
from tests.e2e.uploads import uploading
from tests.pictures import encode

MEBIBYTE = 2**20
NAME = "auntie-at-the-beach.jpg"
# What is listed may go before it is read: a file, or a process that holds one.
GONE = FileNotFoundError, ProcessLookupError


@pytest.fixture(scope="session")
def large_photo() -> bytes:
    """A valid photo of 5 MB, its bytes unlike any others."""
    pixels = np.random.default_rng(5).integers(0, 256, (1300, 1300, 3), dtype=np.uint8)
    return encode(pixels, "BMP")


def open_files(server: Server) -> list[Path]:
    """Files that the server's processes hold open, those without a name too."""
    held: list[Path] = []
    for process in server.family():
        with suppress(*GONE):
            held += Path(f"/proc/{process.pid}/fd").iterdir()
    return [entry for entry in held if entry.is_file()]


def assert_not_on_disk(server: Server, secret: bytes) -> None:
    for path in [*files_of(server.folder), *open_files(server)]:
        with suppress(*GONE):
            assert secret not in path.read_bytes(), path


@pytest.mark.parametrize("kind", ["raw", "form"])
def test_a_photo_is_not_on_disk_while_it_is_uploaded(
    kind: str, server: Server, large_photo: bytes
) -> None:
    body, content_type = large_photo, "image/bmp"
    if kind == "form":
        request = httpx.Request("POST", server.url, files={"photo": (NAME, large_photo)})
        body, content_type = request.read(), request.headers["content-type"]
    secret = large_photo[MEBIBYTE : MEBIBYTE + 64]
    headers = (f"content-type: {content_type}", f"content-length: {len(body)}")
    with uploading(server.port, *headers) as upload:
        upload.send(body[: 4 * MEBIBYTE])
        until(lambda: server.metric("rapt_requests_in_flight") == 1, 10)
        # The server reads no more of an upload than it has place for: so far it got most of this.
        upload.send(body[4 * MEBIBYTE : -MEBIBYTE // 2])
        assert_not_on_disk(server, secret)
        upload.send(body[-MEBIBYTE // 2 :])
        assert upload.status() == 200
    assert_not_on_disk(server, secret)


def test_nothing_of_a_photo_is_logged(server: Server, face_jpeg: bytes) -> None:
    for content in (face_jpeg, face_jpeg[:9000], b"GIF89a not quite"):
        httpx.post(f"{server.url}/v1/photos", files={"photo": (NAME, content)}, timeout=30)
        httpx.post(f"{server.url}/v1/photos:batch", files={NAME: (NAME, content)}, timeout=30)
    logged = "".join(server.lines)
    for secret in (NAME, "auntie", "JFIF", "\\xff\\xd8", "GIF89a"):
        assert secret not in logged

"""Bad input that the running service must survive, in every topology."""

import asyncio
import base64
import time

import httpx
import pytest
from PIL import Image

from tests.e2e.servers import Server, until
from tests.e2e.uploads import Upload, uploading
from tests.pictures import crowd, encode, encode_image, header_without_data, png_bomb

pytestmark = pytest.mark.usefixtures("still_answers")

JPEG = "content-type: image/jpeg"
MEBIBYTE = 2**20


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and kind of an error, which has to have the one shape that all have."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert list(body) == ["type", "title", "status", "detail", "instance"]
    assert body["status"] == response.status_code
    return response.status_code, body["type"].rpartition(":")[2]


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    return encode_image(frames[0], kind, save_all=True, append_images=frames[1:])


def send_until(end: float, upload: Upload, chunk: bytes) -> None:
    while time.monotonic() < end:
        upload.send_chunk(chunk)


def batch_of(photos: list[bytes]) -> httpx.Request:
    files = [("photo", ("x.jpg", photo)) for photo in photos]
    return httpx.Request("POST", "http://rapt.test", files=files)


def inference_of(photos: list[bytes]) -> httpx.Request:
    data = [base64.b64encode(photo).decode() for photo in photos]
    tensor = {"name": "image", "datatype": "BYTES", "shape": [len(photos)], "data": data}
    return httpx.Request("POST", "http://rapt.test", json={"inputs": [tensor]})


def test_an_empty_body(server: Server) -> None:
    assert problem(server.post(b"")) == (400, "undecodable-image")


def test_text_that_is_called_a_jpeg(server: Server) -> None:
    assert problem(server.post(b"Dear server,\n" * 99)) == (415, "unsupported-image")


def test_a_truncated_jpeg(server: Server, face_jpeg: bytes) -> None:
    assert problem(server.post(face_jpeg[: len(face_jpeg) // 2])) == (400, "undecodable-image")


def test_a_small_file_of_900_megapixels_is_refused_from_its_header(server: Server) -> None:
    bomb = png_bomb(30_000)
    assert len(bomb) < 120_000
    before = server.memory_at_rest()
    responses = [server.post(bomb) for _ in range(3)]
    assert [problem(response) for response in responses] == [(413, "image-too-large")] * 3
    assert server.memory() - before < 20 * MEBIBYTE


@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG", "WEBP", "TIFF"])
def test_a_header_of_400_megapixels_without_data(kind: str, server: Server) -> None:
    before = server.memory_at_rest()
    response = server.post(header_without_data(kind, 20_000))
    assert problem(response) in [(413, "image-too-large"), (400, "undecodable-image")]
    assert server.memory() - before < 20 * MEBIBYTE


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation(kind: str, server: Server) -> None:
    assert problem(server.post(animation(kind))) == (415, "unsupported-image")


def test_a_photo_of_300_faces(server: Server) -> None:
    response = server.post(encode(crowd(), "JPEG", quality=90))
    assert response.status_code == 200
    faces = response.json()["faces"]
    assert len(faces) >= 290
    assert all(sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3) for face in faces)


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "video/mp4", ""])
def test_a_wrong_content_type(kind: str, server: Server, face_jpeg: bytes) -> None:
    assert problem(server.post(face_jpeg, kind)) == (415, "unsupported-image")


def test_a_body_that_never_ends(server: Server) -> None:
    chunk = b"\xff" * 65536
    sent = 0
    began = time.monotonic()
    with uploading(server.port, JPEG, "transfer-encoding: chunked") as upload:
        while sent <= 20 * MEBIBYTE:
            upload.send_chunk(chunk)
            sent += len(chunk)
        assert upload.status() == 413
        assert time.monotonic() - began < 10
        # The rest is dropped for a moment, not read for ever.
        with pytest.raises(ConnectionError):
            send_until(began + 60, upload, chunk)


def test_a_body_that_says_how_much_too_large_it_is(server: Server) -> None:
    # The client sends all of it before it reads, and reads the answer all the same.
    assert problem(server.post(bytes(30 * MEBIBYTE))) == (413, "image-too-large")


def test_a_form_that_is_too_large(server: Server) -> None:
    files = {"photo": ("a.jpg", bytes(21 * MEBIBYTE))}
    response = httpx.post(f"{server.url}/v1/photos", files=files, timeout=30)
    assert problem(response) == (413, "image-too-large")


def test_a_client_that_hangs_up_while_it_sends(server: Server) -> None:
    with uploading(server.port, JPEG, "content-length: 1000") as upload:
        upload.send(b"\xff" * 500)
        until(lambda: server.metric("rapt_requests_in_flight") == 1, 10)
        upload.hang_up()
    until(lambda: server.metric("rapt_requests_in_flight") == 0, 10)


@pytest.mark.parametrize("path", ["/v1/photos:batch", "/v2/models/emotion/infer"])
def test_a_client_that_hangs_up_while_it_waits(path: str, server: Server) -> None:
    photos = [encode(crowd(), "JPEG", quality=90)] * 16
    request = batch_of(photos) if path == "/v1/photos:batch" else inference_of(photos)
    body = request.read()
    headers = [f"{name}: {value}" for name, value in request.headers.items() if name != "host"]
    gone = 'rapt_requests_failed_total{reason="ClientGone"}'
    before = server.metric(gone), server.metric("rapt_photos_total")
    with uploading(server.port, *headers, path=path) as upload:
        upload.send(body)
        until(lambda: server.metric("rapt_requests_in_flight") == 1, 10)
        upload.hang_up()
    until(lambda: server.metric("rapt_requests_in_flight") == 0, 10)
    assert (server.metric(gone), server.metric("rapt_photos_total")) == (before[0] + 1, before[1])
    assert any("client_hung_up" in line for line in server.lines)
    assert not any("Traceback" in line for line in server.lines)


async def test_64_clients_at_once(server: Server, face_jpeg: bytes) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:

        async def ask() -> httpx.Response:
            headers = {"content-type": "image/jpeg"}
            return await client.post("/v1/photos", content=face_jpeg, headers=headers)

        responses = await asyncio.gather(*(ask() for _ in range(64)))
    assert [response.status_code for response in responses] == [200] * 64
    answers = {str(response.json()["faces"]) for response in responses}
    assert len(answers) == 1

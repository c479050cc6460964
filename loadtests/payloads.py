"""What callers send: made once a process, the same each time, free to pass on."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tritonclient.grpc import service_pb2

from benchmarks.clips import grainy, write_clip
from benchmarks.samples import one_face
from benchmarks.video_speed import talking_heads

BATCH_PHOTOS = 4
_SIZE = (640, 480)
_CLIP_SECONDS, _CLIP_RATE = 4, 30
_BOUNDARY = "a-photo-of-one-face"


@cache
def photo() -> bytes:
    """Return a JPEG with one face."""
    return one_face(*_SIZE)


@cache
def batch_form() -> tuple[bytes, str]:
    """Return a form with a few photos, and its media type."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    parts = [head.encode() + photo() + b"\r\n"] * BATCH_PHOTOS
    body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={_BOUNDARY}"


@cache
def inference_request() -> bytes:
    """Return a ModelInferRequest of the photo, as it travels."""
    request = service_pb2.ModelInferRequest(
        model_name="emotion",
        inputs=[{"name": "image", "datatype": "BYTES", "shape": [1]}],
        # An element of BYTES is its length, four bytes of it, and itself.
        raw_input_contents=[len(photo()).to_bytes(4, "little") + photo()],
    )
    message: bytes = request.SerializeToString()
    return message


@cache
def clip() -> bytes:
    """Return an MP4 of a few seconds with two faces."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(path, grainy(talking_heads(_CLIP_SECONDS)), _CLIP_RATE)
        return path.read_bytes()


def make_payloads() -> None:
    """Make them all, so that no caller's time has the making in it."""
    for make in (photo, batch_form, inference_request, clip):
        make()

"""Drawn videos: a face that wanders over a grey wall."""

import io

import av
import numpy as np

from tests.pictures import astronaut

FRAMES_A_SECOND = 10
_HEIGHT, _WIDTH = 360, 640
_KEY_FRAMES = 10  # Frames from one to the next.


def face_clip(seconds: int) -> bytes:
    """An MP4 of one face that moves to the right and back."""
    face = astronaut()[0:240:1, 120:360:1]
    side = face.shape[0]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=FRAMES_A_SECOND)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.gop_size, stream.bit_rate = _KEY_FRAMES, 2_000_000
        for number in range(seconds * FRAMES_A_SECOND):
            frame = np.full((_HEIGHT, _WIDTH, 3), 90, dtype=np.uint8)
            x = round((_WIDTH - side) * (0.5 - 0.5 * np.cos(number / 20)))
            frame[60 : 60 + side, x : x + side] = face
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()

"""Video files made here, good ones and bad ones."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from tests.pictures import astronaut, gradient

BEAT = 60_000

Pixels = npt.NDArray[np.uint8]


def write_clip(
    path: Path,
    frames: Iterable[Pixels],
    times: Iterable[float],
    *,
    codec: str = "libx264",
    turn: float = 0.0,
    beat: int = BEAT,
    **options: str,
) -> Path:
    """Encode frames that are shown at these times, in seconds; the suffix chooses the container.

    Args:
        path: of the file.
        frames: uint8 [h, w, 3], RGB, all of one size.
        times: one a frame.
        codec: FFmpeg's name of the encoder.
        beat: ticks a second of the encoder's clock; MPEG-2 knows 25 and few others.
        turn: degrees by which a player turns the pictures, counter-clockwise.
        options: of the encoder.
    """
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=beat, options=options)
        stream.time_base = stream.codec_context.time_base = Fraction(1, beat)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if turn:
            stream.set_display_rotation(turn)
        for pixels, time in zip(frames, times, strict=False):
            if not stream.codec_context.is_open:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, beat), round(time * beat)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def steady(rate: float, seconds: float) -> list[float]:
    """Return the times of frames at a constant rate."""
    return [count / rate for count in range(round(rate * seconds))]


def astronaut_at(x: float, y: float, size: tuple[int, int] = (320, 240), face: int = 160) -> Pixels:
    """Draw a frame [height, width, 3] with the astronaut's head at a place."""
    canvas = gradient(*size) // 2
    head = cv2.resize(astronaut()[:256, 96:352], (face, face), interpolation=cv2.INTER_AREA)
    left, top = round(x), round(y)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(size[0], left + face), min(size[1], top + face)
    if x0 < x1 and y0 < y1:
        canvas[y0:y1, x0:x1] = head[y0 - top : y1 - top, x0 - left : x1 - left]
    return canvas


def walking(count: int) -> Iterator[Pixels]:
    """Draw frames in which the astronaut sways to and fro."""
    for step in range(count):
        yield astronaut_at(80 + 60 * np.sin(step / 15), 40)


def greys(levels: Sequence[int], side: int = 64) -> list[Pixels]:
    """Return frames of one grey each, with a pattern that a codec keeps."""
    return [np.full((side, side, 3), level, dtype=np.uint8) for level in levels]


def grey_of(pixels: Pixels) -> int:
    """Read a frame of ``greys`` back."""
    return round(float(pixels.mean()))


def write_sound(path: Path) -> Path:
    """Write a file with a second of sound and no pictures."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44_100, layout="mono")
        silence = np.zeros((1, 44_100), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def playlist(address: str) -> bytes:
    """Return an HLS playlist with one part."""
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXT-X-ENDLIST\n".encode()


def box(name: bytes, content: bytes) -> bytes:
    """Return a box of ISO's base media file format (ISO/IEC 14496-12)."""
    return struct.pack(">I", 8 + len(content)) + name + content


def with_edit(mp4: bytes, start: float, seconds: float) -> bytes:
    """Return an MP4 of which players show a part, as phones trim: by its edit list and headers."""
    changed = bytearray(mp4)
    header, media = mp4.index(b"mvhd") + 4, mp4.index(b"mdhd") + 4
    (movie_beat,) = struct.unpack_from(">I", mp4, header + 12)
    (media_beat,) = struct.unpack_from(">I", mp4, media + 12)
    entries = mp4.index(b"elst") + 8
    count, _, begin = struct.unpack_from(">IIi", mp4, entries)
    assert count == 1
    length = round(seconds * movie_beat)
    struct.pack_into(">Ii", changed, entries + 4, length, begin + round(start * media_beat))
    struct.pack_into(">I", changed, header + 16, length)
    struct.pack_into(">I", changed, mp4.index(b"tkhd") + 24, length)
    return bytes(changed)


def with_reference(mp4: bytes, address: str) -> bytes:
    """Return an MP4 whose pictures are said to lie at an address, in its data reference box."""
    at = mp4.index(b"dref") - 4
    (length,) = struct.unpack(">I", mp4[at : at + 4])
    entry = box(b"url ", bytes(4) + address.encode() + b"\0")
    reference = box(b"dref", bytes(4) + struct.pack(">I", 1) + entry)
    grown = len(reference) - length
    changed = bytearray(mp4[:at] + reference + mp4[at + length :])
    # The boxes around it grow with it. The media data comes first, so no offset changes.
    assert mp4.index(b"mdat") < at
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = changed.rindex(name, 0, at + 4) - 4
        (old,) = struct.unpack(">I", changed[place : place + 4])
        changed[place : place + 4] = struct.pack(">I", old + grown)
    return bytes(changed)

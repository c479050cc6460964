"""Clips to measure with: faces that move over a drawn background; seeded, free to pass on."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from emotion.faces import Box
from emotion.image import RgbImage

# The head of Eileen Collins in NASA's photo (public domain), rows and columns.
_HEAD = (slice(20, 250), slice(135, 315))
# Where the detector that serves puts the face's box in the head's picture, as shares of it.
_FACE = Box(0.255, 0.19, 0.51, 0.495)
_BEAT = 90_000
# Pictures of noise that take turns: drawing one costs more than encoding a frame.
_GRAINS = 8


def write_clip(path: Path, frames: Iterable[RgbImage], rate: int, **options: str) -> None:
    """Encode frames of one size as H.264; the container is chosen by the path's suffix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "fast", **options})
        stream.pix_fmt = "yuv420p"
        for count, pixels in enumerate(frames):
            if not count:
                stream.height, stream.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, _BEAT), count * _BEAT // rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def head(width: int) -> RgbImage:
    """Return a head's picture, so wide."""
    picture = skimage.data.astronaut()[_HEAD]  # type: ignore[no-untyped-call]  # skimage is typed in part
    height = round(width * picture.shape[0] / picture.shape[1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def background(width: int, height: int) -> RgbImage:
    """Draw soft shapes of many colours."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(40, 200, (6, 9, 3)).astype(np.float32)
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(soft, 0, 255).astype(np.uint8)


def paste(canvas: RgbImage, picture: RgbImage, x: int, y: int) -> None:
    """Put an oval of a picture onto the canvas, its top left corner at (x, y), cut at the edges."""
    height, width = picture.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(canvas.shape[1], x + width), min(canvas.shape[0], y + height)
    if left >= right or top >= bottom:
        return
    part = (slice(top - y, bottom - y), slice(left - x, right - x))
    share = _oval(width, height)[part][..., np.newaxis]
    place = canvas[top:bottom, left:right]
    place[:] = (share * picture[part] + (1 - share) * place).astype(np.uint8)


def face_box(picture: RgbImage, x: int, y: int) -> Box:
    """Return where the face is of a head's picture that lies at (x, y)."""
    height, width = picture.shape[:2]
    return Box(
        x + _FACE.x * width, y + _FACE.y * height, _FACE.width * width, _FACE.height * height
    )


def _oval(width: int, height: int) -> npt.NDArray[np.float32]:
    mask = np.zeros((height, width), dtype=np.float32)
    axes = (round(width * 0.46), round(height * 0.47))
    cv2.ellipse(mask, (width // 2, height // 2), axes, 0, 0, 360, 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), max(1.0, width / 40)).astype(np.float32, copy=False)


def grainy(frames: Iterable[RgbImage], strength: float = 2.0) -> Iterator[RgbImage]:
    """Add the grain of a camera, which a codec has to work for."""
    rng = np.random.default_rng(0)
    grains: list[npt.NDArray[np.int16]] = []
    for count, pixels in enumerate(frames):
        if len(grains) < _GRAINS:
            grains.append(rng.normal(0, strength, pixels.shape).round().astype(np.int16))
        yield np.clip(pixels + grains[count % len(grains)], 0, 255).astype(np.uint8)

"""A decoded frame to pixels as a viewer sees them: RGB, upright, square."""

import struct
from fractions import Fraction

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideData

from emotion.image import RgbImage

# x' = a x + c y and y' = b x + d y, in this order with three more numbers each row (FFmpeg,
# libavutil/display.h).
_MATRIX = struct.Struct("=9i")
_TINY = (16, 16)


def upright(frame: av.VideoFrame, aspect: Fraction) -> RgbImage:
    """Return a frame's pixels as it is to be shown.

    Args:
        frame: as decoded.
        aspect: width of a pixel over its height.

    Returns:
        uint8 [height, width, 3], RGB, contiguous; as many rows or columns as make pixels square.
    """
    pixels = frame.to_ndarray(format="rgb24", threads=1).astype(np.uint8, copy=False)
    swap, right, down = _turn_of(frame)
    turned = (pixels.swapaxes(0, 1) if swap else pixels)[::down, ::right]
    if aspect == 1:
        return np.ascontiguousarray(turned)
    square = cv2.resize(turned, upright_size(frame, aspect), interpolation=cv2.INTER_LINEAR)
    return square.astype(np.uint8, copy=False)


def upright_size(frame: av.VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Return width and height of what ``upright`` gives."""
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if _turn_of(frame)[0] else (width, height)


def _turn_of(frame: av.VideoFrame) -> tuple[bool, int, int]:
    """Return whether to swap rows and columns, then the steps in which to walk along and down.

    Other angles than quarter turns are taken for the nearest.
    """
    # Asked for its side data, a frame of PyAV's refers to itself, and its pixels stay until Python
    # looks for such circles: 200 MB in half an hour. So a tiny copy is asked.
    tiny = frame.reformat(*_TINY, "gray", threads=1)
    data = tiny.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, SideData):
        return False, 1, 1
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(data)[: _MATRIX.size])
    swap = abs(b) + abs(c) > abs(a) + abs(d)
    along, down = (c, b) if swap else (a, d)
    return swap, -1 if along < 0 else 1, -1 if down < 0 else 1

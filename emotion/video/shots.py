"""Where one shot ends and the next begins, told from consecutive frames.

A cut replaces the whole picture between two frames: the brightness of its parts differs by much,
keeps no pattern of before, and differs far more than it did the two frames earlier (two, since
film shown as video repeats frames). Motion fails the last, a flash or a fade to another
brightness the second. Dissolves are not found.
"""

import math

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation

# The parts of a picture that are compared.
_COLUMNS, _ROWS = 32, 18
# Chosen on hard cuts and fast motion; see tests/emotion/video/test_shots.py.
_LEAST_CHANGE = 12.0  # Mean difference of the parts, in grey levels.
_MOST_LIKENESS = 0.65  # Correlation of the parts.
_LEAST_JUMP = 2.5  # Times the changes of the two frames earlier.

Parts = npt.NDArray[np.float32]


class ShotBoundaries:
    """Watches consecutive frames; what it says of one depends on the three before it alone."""

    def __init__(self) -> None:
        """Begin with no frame."""
        self._previous: Parts | None = None
        # Of a video's first frames it isn't known how much it moves: they begin no shot.
        self._changes = (math.inf, math.inf)

    def is_cut(self, frame: av.VideoFrame) -> bool:
        """Say whether a new shot begins with this frame."""
        parts, previous = _parts_of(frame), self._previous
        self._previous = parts
        if previous is None:
            return False
        change = float(np.mean(np.abs(parts - previous)))
        earlier = self._changes
        self._changes = (earlier[1], change)
        return (
            change >= _LEAST_CHANGE
            and change >= _LEAST_JUMP * max(earlier)
            and _likeness(parts, previous) <= _MOST_LIKENESS
        )


def _parts_of(frame: av.VideoFrame) -> Parts:
    small = frame.reformat(
        _COLUMNS, _ROWS, "gray", interpolation=Interpolation.AREA, threads=1
    ).to_ndarray()
    return small.astype(np.float32)


def _likeness(one: Parts, other: Parts) -> float:
    """Return the correlation of two pictures' parts; 0 where one of them is of one grey."""
    one, other = one - one.mean(), other - other.mean()
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.sum(one * other)) / size if size else 0.0

"""How far apart the frames that are looked at lie, and how long each of them stands for.

A video may have fewer frames than are asked for, or none for a while: one that is held, or damage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from emotion.video.settings import grid_point

# So many times the usual spacing without a frame are a gap; a dropped frame or two are none.
_GAP = 3
# Of the intervals; more are without a frame where the frame rate is lower than asked for.
_FILLED = 0.9
# Times are rounded to milliseconds.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Spacing:
    """Seconds between frames that were looked at.

    Attributes:
        usual: the interval that was asked for, or more.
        longest: without a further frame, from the video's beginning to its end.
    """

    usual: float
    longest: float

    @property
    def has_gaps(self) -> bool:
        """Whether there is a time that no frame stands for."""
        return self.is_gap(self.longest)

    def is_gap(self, seconds: float) -> bool:
        """Say whether so long a time without a further frame is more than a frame stands for."""
        return round(seconds, _DIGITS) > round(_GAP * self.usual, _DIGITS)


def spacing_of(times: Sequence[float], interval: float, duration: float) -> Spacing:
    """Say how far apart frames lie.

    Args:
        times: of the frames that were looked at, in order, in seconds.
        interval: seconds that were asked for.
        duration: of the video, in seconds.
    """
    apart = [after - before for before, after in pairwise(times)]
    ends = [times[0], duration - times[-1]] if times else [duration]
    usual = interval
    if apart:
        intervals = grid_point(times[-1], interval) - grid_point(times[0], interval) + 1
        usual = interval if len(times) >= _FILLED * intervals else max(interval, median(apart))
    return Spacing(round(usual, _DIGITS), round(max(*apart, *ends, 0.0), _DIGITS))


def stops_of(times: Sequence[float], spacing: Spacing, duration: float) -> dict[float, float]:
    """Return until when each frame stands: until the next, or the end; never through a gap.

    Args:
        times: of the frames that were looked at, in order, in seconds.
        spacing: of them.
        duration: of the video, in seconds.
    """
    return {
        time: time + spacing.usual if spacing.is_gap(after - time) else after
        for time, after in pairwise((*times, max(duration, *times[-1:])))
    }

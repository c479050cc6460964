"""What a video may be, how it is looked at, and the segments it is cut into."""

import math
from dataclasses import dataclass

from emotion.detection import DetectionSettings
from emotion.errors import InvalidRequest

MIN_INTERVAL, MAX_INTERVAL = 0.04, 60.0
# Grid points are products of floats: one that is a hair off still is the one that is meant.
_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """The largest video that is analysed.

    Attributes:
        max_bytes: of the file.
        max_seconds: of its play time.
        max_pixels: width times height of a frame. A decoder holds up to 17 frames.
        max_streams: of all kinds: pictures, sound, subtitles.
    """

    max_bytes: int = 4 * 2**30
    max_seconds: float = 4 * 3600.0
    max_pixels: int = 4096 * 2304
    max_streams: int = 16


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """How a video is looked at.

    Attributes:
        interval: seconds between two frames that are looked at, 0.04 to 60.
        segment_seconds: seconds of a segment, about: it holds whole intervals, at least one.
        min_score: least confidence with which somebody's face is found, 0 to 1; a face that was
            found is followed as long as it has half of that.

    Raises:
        InvalidRequest: a value is out of its range.
    """

    interval: float = 0.5
    segment_seconds: float = 30.0
    min_score: float = DetectionSettings().min_score

    def __post_init__(self) -> None:
        """Refuse what can't be worked with."""
        if not MIN_INTERVAL <= self.interval <= MAX_INTERVAL:
            raise InvalidRequest(
                f"interval: {self.interval:g} is not between {MIN_INTERVAL:g} and "
                f"{MAX_INTERVAL:g} seconds."
            )
        if not 0 < self.segment_seconds < math.inf:
            raise InvalidRequest(
                f"segment_seconds: {self.segment_seconds:g} is no positive number of seconds."
            )
        if not 0 < self.min_score <= 1:
            raise InvalidRequest(f"min_score: {self.min_score:g} is not between 0 and 1.")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file is.

    Attributes:
        container: ``mp4``, ``mov``, ``matroska`` (WebM too), ``avi`` or ``mpegts``.
        codec: FFmpeg's name of the decoder, as in ``h264``.
        width: of an upright frame with square pixels.
        height: likewise.
        duration: seconds from the video's beginning to the end of its last frame.
        frame_rate: frames a second, on average; None where the file doesn't say.
    """

    container: str
    codec: str
    width: int
    height: int
    duration: float
    frame_rate: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a video that is analysed in one go.

    Attributes:
        index: 0 for the first.
        start: seconds; a point of the grid of sampled times.
        stop: seconds, likewise; not part of it.
    """

    index: int
    start: float
    stop: float


def segments(info: VideoInfo, settings: VideoSettings) -> list[Segment]:
    """Cut a video into segments that cover the grid of sampled times, in order; at least one."""
    points = max(1, math.ceil(info.duration / settings.interval - _HAIR))
    points_each = max(1, round(settings.segment_seconds / settings.interval))
    return [
        Segment(
            index,
            round(first * settings.interval, 6),
            round(min(first + points_each, points) * settings.interval, 6),
        )
        for index, first in enumerate(range(0, points, points_each))
    ]


def grid_point(time: float, interval: float) -> int:
    """Return the number of the interval that a time lies in: the first begins at 0."""
    return math.floor(time / interval + _HAIR)

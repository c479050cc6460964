"""The frames of a segment that are looked at, by the time at which they are shown.

Of each interval the first good frame is taken. Decoding begins at a key frame before the segment,
early enough to see a cut at its border, so a segment's frames don't depend on where it begins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av

from emotion.image import RgbImage
from emotion.video.container import OpenVideo, check_pixels, check_seconds, open_video
from emotion.video.decoding import Shown, Skipped, good_frames
from emotion.video.pixels import upright
from emotion.video.settings import Segment, VideoLimits, grid_point
from emotion.video.shots import ShotBoundaries

# Seconds before the segment that decoding first tries to begin at. Where a container's index
# misleads, a longer one is tried, at last the video's beginning.
_LEADS = (1.0, 15.0, 120.0)
# Frames that are seen before the segment's first, for the shot's end.
_FRAMES_BEFORE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame to look at: its time in seconds, and its pixels uint8 [h, w, 3], RGB, upright."""

    time: float
    pixels: RgbImage


@dataclass(frozen=True, slots=True)
class Cut:
    """A new shot begins at this time, in seconds."""

    time: float


Event = Picture | Cut | Skipped


def frames_of(
    path: Path,
    segment: Segment,
    interval: float,
    limits: VideoLimits,
    should_stop: Callable[[], bool],
) -> Iterator[Event]:
    """Read a segment: its pictures and cuts in order of time, and what is skipped between.

    Args:
        path: of the video.
        segment: to be read; its borders are points of the grid.
        interval: seconds between two pictures.
        limits: of the video.
        should_stop: asked with every frame.

    Raises:
        InputError: the file can't be used, or goes beyond the limits.
        Stopped: ``should_stop`` said so.
    """
    leads = [lead for lead in _LEADS if lead < segment.start]
    for lead in (*leads, None):
        with open_video(path, limits) as video:
            shown = _begin(video, segment, lead, should_stop)
            if shown is not None:
                yield from _select(shown, video, segment, interval, limits)
                return


def _begin(
    video: OpenVideo, segment: Segment, lead: float | None, should_stop: Callable[[], bool]
) -> Iterator[Shown | Skipped] | None:
    """Start decoding before a segment; None if that is not early enough after all."""
    if lead is None:
        return good_frames(video, should_stop, from_key_frame=False)
    stamp = (video.zero + int(segment.start - lead)) / (video.stream.time_base or 1)
    try:
        video.container.seek(int(stamp), stream=video.stream)
    except av.FFmpegError:
        return None
    shown = good_frames(video, should_stop, from_key_frame=True)
    seen: list[Shown] = []
    for one in shown:
        if isinstance(one, Shown):
            seen.append(one)
            if one.time >= segment.start:
                return None
            if len(seen) == _FRAMES_BEFORE:
                return chain(seen, shown)
    return None


def _select(
    shown: Iterator[Shown | Skipped],
    video: OpenVideo,
    segment: Segment,
    interval: float,
    limits: VideoLimits,
) -> Iterator[Event]:
    """Keep what belongs to the segment."""
    first, last = grid_point(segment.start, interval), grid_point(segment.stop, interval)
    shots = ShotBoundaries()
    # Trouble belongs to where the last good frame was: at the beginning, to the first segment.
    place, taken = 0, -1
    for one in shown:
        if isinstance(one, Skipped):
            if place >= first:
                yield one
            continue
        check_pixels(one.frame.width * one.frame.height, limits)
        check_seconds(one.time, limits)
        place = grid_point(one.time, interval)
        if place >= last:
            return
        if shots.is_cut(one.frame) and place >= first:
            yield Cut(round(one.time, 3))
        if place >= first and place != taken:
            taken = place
            yield Picture(round(one.time, 3), upright(one.frame, video.aspect))

"""Packets to frames in the order of their time, with what is damaged left out and counted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
from av.video.stream import VideoStream

from emotion.errors import Stopped
from emotion.video.container import OpenVideo

# A file that can't be read any further says so again and again.
_MOST_FAILED_READS = 50


@dataclass(frozen=True, slots=True)
class Skipped:
    """A packet or frame that is damaged, has no time, or one that goes back."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A good frame, at its time in seconds."""

    time: float
    frame: av.VideoFrame


def never() -> bool:
    """Say that there is no wish to stop."""
    return False


def packets_of(video: OpenVideo) -> Iterator["av.Packet[VideoStream] | Skipped"]:
    """Read the pictures' packets to the end, also past places that can't be read."""
    failed = 0
    while failed < _MOST_FAILED_READS:
        try:
            for packet in video.container.demux(video.stream):
                failed = 0
                yield packet
        except av.FFmpegError:
            failed += 1
            yield Skipped()
        except IndexError:
            # PyAV's, after the last packet: a stream that it doesn't know came up in the middle.
            return
        else:
            return


def good_frames(
    video: OpenVideo, should_stop: Callable[[], bool], *, from_key_frame: bool
) -> Iterator[Shown | Skipped]:
    """Decode from where the file stands to its end.

    Args:
        video: the file.
        should_stop: asked with every packet.
        from_key_frame: leave out what comes before the first key frame, and all that is shown
            before it: after a seek it may have been decoded from frames that were passed over.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    latest, begun = float("-inf"), not from_key_frame
    for packet in packets_of(video):
        if should_stop():
            raise Stopped("The analysis was stopped.")
        if isinstance(packet, Skipped):
            yield packet
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            yield Skipped()
            continue
        for frame in frames:
            begun = begun or frame.key_frame
            if not begun:
                continue
            time = video.seconds(frame.pts) if frame.pts is not None else None
            if time is None or time <= latest or frame.is_corrupt:
                yield Skipped()
                continue
            latest = time
            yield Shown(time, frame)

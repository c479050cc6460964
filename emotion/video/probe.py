"""What a video file is, found out before any work is spent on it."""

from collections.abc import Callable
from pathlib import Path

from emotion.errors import UndecodableVideo
from emotion.video.container import OpenVideo, check_pixels, check_seconds, open_video
from emotion.video.decoding import Shown, Skipped, good_frames, never, packets_of
from emotion.video.pixels import upright_size
from emotion.video.settings import VideoInfo, VideoLimits

_MICROSECONDS = 1e6
# QuickTime's brand; files that are older than brands are QuickTime's too.
_QUICKTIME = "qt  "
# Seconds that a frame is shown where the file doesn't say how long.
_SHORTEST = 0.001


def probe(path: Path, limits: VideoLimits, *, should_stop: Callable[[], bool] = never) -> VideoInfo:
    """Judge a video and say what it is.

    All its packets are walked over, without decoding them: headers may leave the duration out, or
    lie. Its first frame is decoded.

    Args:
        path: of the file; its bytes decide what it is, not its name.
        limits: what is refused.
        should_stop: asked now and then.

    Raises:
        InputError: it can't be used, or is more than the limits allow.
        Stopped: ``should_stop`` said so.
    """
    with open_video(path, limits) as video:
        width, height = _first_size(video, limits, should_stop)
    with open_video(path, limits) as video:
        declared = (video.container.duration or 0) / _MICROSECONDS
        check_seconds(declared, limits)
        return VideoInfo(
            container=_container(video),
            codec=video.stream.codec_context.name,
            width=width,
            height=height,
            duration=_duration(video, limits),
            frame_rate=float(video.stream.average_rate) if video.stream.average_rate else None,
        )


def _container(video: OpenVideo) -> str:
    """Return FFmpeg's name; of those that share a reader, MP4 is told from QuickTime by brand."""
    name = video.container.format.name.split(",")[0]
    brand = video.container.metadata.get("major_brand", _QUICKTIME)
    return "mp4" if name == "mov" and brand != _QUICKTIME else name


def _first_size(
    video: OpenVideo, limits: VideoLimits, should_stop: Callable[[], bool]
) -> tuple[int, int]:
    """Return width and height of the first good frame."""
    for one in good_frames(video, should_stop, from_key_frame=False):
        if isinstance(one, Shown):
            check_pixels(one.frame.width * one.frame.height, limits)
            size = upright_size(one.frame, video.aspect)
            check_pixels(size[0] * size[1], limits)
            return size
    raise UndecodableVideo("The video has no frame that can be decoded.")


def _duration(video: OpenVideo, limits: VideoLimits) -> float:
    """Return the end of the last packet that is shown, in seconds; later than any frame begins.

    What an edit list leaves out is read, since what is shown may refer to it, and discarded.
    """
    end = 0.0
    for packet in packets_of(video):
        if isinstance(packet, Skipped) or packet.is_discard:
            continue
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            begin, length = video.seconds(stamp), video.seconds_of(packet.duration or 0)
            end = max(end, begin + max(length, _SHORTEST))
            check_seconds(end, limits)
    return round(end, 3)

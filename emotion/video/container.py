"""A video file opened, and by nothing but its own bytes.

The container is told by its first bytes, and FFmpeg is given that format alone: left to guess, it
takes a playlist named .mp4 for a playlist, and asks the network for its parts. It may open no
other file and no address either, whatever the video refers to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.stream
import av.video

from emotion.errors import (
    InvalidRequest,
    UndecodableVideo,
    UnsupportedVideo,
    VideoTooLarge,
    VideoTooLong,
)
from emotion.video.settings import VideoLimits

ACCEPTED = ("MP4", "MOV", "WebM", "MKV", "AVI", "MPEG-TS")
# First bytes that are enough to tell the container: six packets of MPEG-TS, the longest.
HEAD_BYTES = 6 * 192
# Pictures may be coded in these, by FFmpeg's names. It knows 300, many of them of old games.
CODECS = (
    "h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "msmpeg4", "msmpeg4v2", "h263",
    "mpeg1video", "mpeg2video", "mjpeg", "prores", "dnxhd", "dvvideo", "ffv1", "rawvideo", "vc1",
    "wmv2", "wmv3", "theora", "png",
)  # fmt: skip
# The first box of a file in ISO's base format, or in QuickTime's of before.
_MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide")
_EBML = b"\x1a\x45\xdf\xa3"
_TS_SYNC = 0x47
# A packet's bytes, one of which is the sync byte: as broadcast, and as on Blu-ray.
_TS_PACKETS = (188, 192)
_OPTIONS = {"protocol_whitelist": "file", "codec_whitelist": ",".join(CODECS)}
# One for the codec's own work beside ours: more would hold more frames and take no less time.
_THREADS = 2
# Sound may begin before the pictures; a stream further off has a clock of its own.
_MOST_LEAD = 10
_MOST_ASPECT = 4


@dataclass(frozen=True, slots=True, eq=False)
class OpenVideo:
    """A file whose packets can be read.

    Attributes:
        container: FFmpeg's.
        stream: of the pictures.
        zero: seconds on the stream's clock at which the video begins, as players show it.
        aspect: width of a pixel over its height.
    """

    container: av.container.InputContainer
    stream: av.video.VideoStream
    zero: Fraction
    aspect: Fraction

    def seconds(self, stamp: int) -> float:
        """Return the time of a stamp on the stream's clock, from the video's beginning."""
        return float(stamp * (self.stream.time_base or 0) - self.zero)

    def seconds_of(self, length: int) -> float:
        """Return a length of time on the stream's clock, in seconds."""
        return float(length * (self.stream.time_base or 0))


def container_of(head: bytes) -> str:
    """Tell a file's container by its first ``HEAD_BYTES`` bytes: FFmpeg's name of it.

    Raises:
        UndecodableVideo: there are no bytes.
        UnsupportedVideo: no container that is accepted.
    """
    if not head:
        raise UndecodableVideo("The video is empty: 0 bytes arrived.")
    if head[4:8] in _MOV_BOXES:
        return "mov"
    if head.startswith(_EBML):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if _is_transport_stream(head):
        return "mpegts"
    raise UnsupportedVideo(f"These bytes are no video of an accepted kind ({', '.join(ACCEPTED)}).")


def _is_transport_stream(head: bytes) -> bool:
    """Look for sync bytes a packet apart, from anywhere on: a recording may begin in a packet."""
    return any(
        len(head) > offset + length and set(head[offset::length]) == {_TS_SYNC}
        for length in _TS_PACKETS
        for offset in range(length)
    )


@contextmanager
def open_video(path: Path, limits: VideoLimits) -> Iterator[OpenVideo]:
    """Open a video file and judge it by its header; no picture is decoded.

    Raises:
        InputError: it is no video, or more than the limits allow.
    """
    kind = container_of(_head(path, limits))
    # One more than is accepted, to find out. Streams that come up later are counted too, and PyAV
    # has room for few of those.
    options = _OPTIONS | {"max_streams": str(limits.max_streams + 1)}
    try:
        container = av.open(f"file:{path.absolute()}", "r", format=kind, options=options)
    except (av.FFmpegError, UnicodeDecodeError) as error:
        raise UndecodableVideo(f"The video's header is truncated or corrupt: {kind}.") from error
    with container:
        stream = _pictures(container, limits)
        yield OpenVideo(container, stream, _zero(container, stream), _aspect(stream))


def _head(path: Path, limits: VideoLimits) -> bytes:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InvalidRequest(f"The video can't be read: {error.strerror}.") from error
    if size > limits.max_bytes:
        raise VideoTooLarge(
            f"The video has {size:,} bytes; at most {limits.max_bytes:,} are accepted."
        )
    return head


def _pictures(container: av.container.InputContainer, limits: VideoLimits) -> av.video.VideoStream:
    """Find the stream that is shown, and have all others passed over."""
    if len(container.streams) > limits.max_streams:
        raise VideoTooLarge(
            f"The video has {len(container.streams)} streams; at most {limits.max_streams} are "
            "accepted."
        )
    cover = av.stream.Disposition.attached_pic
    shown = [one for one in container.streams.video if not one.disposition & cover]
    if not shown:
        raise UnsupportedVideo("The file has no pictures: send a video.")
    stream = max(shown, key=_pixels)
    # FFmpeg knows no decoder: the context is None, whatever the types say.
    name = stream.codec_context.name if stream.codec_context is not None else None  # type: ignore[redundant-expr]
    if name not in CODECS:
        raise UnsupportedVideo(
            f"The pictures are coded in a way that isn't accepted ({name or 'unknown'}). "
            "H.264 in MP4 is understood by everybody."
        )
    check_pixels(_pixels(stream), limits)
    for one in container.streams:
        if one is not stream:
            one.discard = av.stream.Discard.all
    stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    stream.thread_type, stream.thread_count = "FRAME", _THREADS
    return stream


def check_pixels(pixels: int, limits: VideoLimits) -> None:
    """Refuse frames of too many pixels.

    Raises:
        VideoTooLarge: they have.
    """
    if pixels > limits.max_pixels:
        raise VideoTooLarge(
            f"A frame has {pixels:,} pixels; at most {limits.max_pixels:,} are accepted."
        )


def check_seconds(seconds: float, limits: VideoLimits) -> None:
    """Refuse what plays too long.

    Raises:
        VideoTooLong: it does.
    """
    if seconds > limits.max_seconds:
        raise VideoTooLong(
            f"The video plays longer than the {limits.max_seconds:,.0f} seconds that are accepted."
        )


def _pixels(stream: av.video.VideoStream) -> int:
    context = stream.codec_context
    return context.width * context.height if context is not None else 0  # type: ignore[redundant-expr]


def _zero(container: av.container.InputContainer, stream: av.video.VideoStream) -> Fraction:
    first = (stream.start_time or 0) * (stream.time_base or Fraction(0))
    earliest = Fraction(container.start_time or 0, av.time_base)
    return earliest if 0 <= first - earliest <= _MOST_LEAD else first


def _aspect(stream: av.video.VideoStream) -> Fraction:
    """Return a pixel's width over its height; what can't be meant is taken for 1."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return aspect if 1 / Fraction(_MOST_ASPECT) <= aspect <= _MOST_ASPECT else Fraction(1)

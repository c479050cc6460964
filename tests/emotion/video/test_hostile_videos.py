"""Files that are no videos, or mean harm: each is refused in a plain sentence, quickly."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from emotion.errors import (
    InputError,
    InvalidRequest,
    UndecodableVideo,
    UnsupportedVideo,
    VideoTooLarge,
    VideoTooLong,
)
from emotion.video.probe import probe
from emotion.video.settings import VideoLimits
from tests.clips import (
    greys,
    playlist,
    steady,
    walking,
    with_reference,
    write_clip,
    write_sound,
)

LIMITS = VideoLimits()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds."""
    return write_clip(tmp_path / "clip.mp4", greys(range(20, 220, 10)), steady(10, 2))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(UndecodableVideo, match="empty: 0 bytes"):
        probe(path, LIMITS)


@pytest.mark.parametrize("content", [b"just text", b"<html>", bytes(5000), b"RIFF....WAVEfmt "])
def test_what_is_no_video_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    with pytest.raises(UnsupportedVideo, match="no video of an accepted kind"):
        probe(path, LIMITS)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="can't be read: No such file"):
        probe(tmp_path / "nowhere.mp4", LIMITS)


@pytest.mark.parametrize("length", [30, 600, 1000])
def test_a_truncated_mp4_is_refused(length: int, clip: Path) -> None:
    clip.write_bytes(clip.read_bytes()[:length])
    with pytest.raises(UndecodableVideo, match="truncated or corrupt"):
        probe(clip, LIMITS)


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_a_truncated_stream_gives_what_there_is(suffix: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", _noise(60), steady(10, 6), g="10")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 2 < probe(path, LIMITS).duration < 4


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedVideo, match="has no pictures"):
        probe(write_sound(tmp_path / "sound.mp4"), LIMITS)


def test_a_video_without_frames_is_refused(clip: Path) -> None:
    """The header is whole, and what it points at is nothing."""
    content = bytearray(clip.read_bytes())
    start = content.index(b"mdat") + 4
    content[start : content.index(b"moov") - 4] = bytes(content.index(b"moov") - 4 - start)
    clip.write_bytes(content)
    with pytest.raises(UndecodableVideo, match="no frame that can be decoded"):
        probe(clip, LIMITS)


def test_frames_of_100_megapixels_are_refused_before_any_is_decoded(tmp_path: Path) -> None:
    huge = np.zeros((10_000, 10_000, 3), dtype=np.uint8)
    path = write_clip(tmp_path / "huge.mp4", [huge], [0.0], codec="mjpeg")
    with pytest.raises(VideoTooLarge, match="100,000,000 pixels; at most 9,437,184"):
        probe(path, LIMITS)


def test_frames_larger_than_the_header_says_are_refused(tmp_path: Path) -> None:
    huge = np.zeros((4096, 4096, 3), dtype=np.uint8)
    path = write_clip(tmp_path / "huge.mkv", [huge], [0.0], codec="mjpeg")
    # The track's width and height in Matroska, two bytes each.
    content = path.read_bytes()
    told, true = (b"\xb0\x82%b\xba\x82%b" % (side, side) for side in (b"\x00\x40", b"\x10\x00"))
    assert content.count(true) == 1
    path.write_bytes(content.replace(true, told))
    with pytest.raises(VideoTooLarge, match="16,777,216 pixels"):
        probe(path, LIMITS)


def test_too_many_bytes_are_refused(clip: Path) -> None:
    size = clip.stat().st_size
    with pytest.raises(VideoTooLarge, match=f"{size:,} bytes; at most 1,000"):
        probe(clip, VideoLimits(max_bytes=1000))


def test_too_many_streams_are_refused(clip: Path) -> None:
    with pytest.raises(VideoTooLarge, match="1 streams; at most 0"):
        probe(clip, VideoLimits(max_streams=0))


def test_a_video_that_is_too_long_is_refused(clip: Path) -> None:
    with pytest.raises(VideoTooLong, match="longer than the 1 seconds"):
        probe(clip, VideoLimits(max_seconds=1.0))


def test_a_header_that_makes_a_video_shorter_is_not_believed(clip: Path) -> None:
    content = bytearray(clip.read_bytes())
    for name, at in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        place = content.index(name) + at
        content[place : place + 4] = (1).to_bytes(4)
    clip.write_bytes(content)
    with pytest.raises(VideoTooLong):
        probe(clip, VideoLimits(max_seconds=1.0))


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address that writes down whoever asks it for something."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    asker, _ = server.accept()
                except TimeoutError:
                    continue
                with asker:
                    heard.append(b"somebody")

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/part.ts", heard
        over.set()
        thread.join()


def test_the_listener_hears_who_opens_a_playlist_carelessly(
    clip: Path, listener: tuple[str, list[bytes]]
) -> None:
    address, heard = listener
    clip = clip.with_suffix(".m3u8")
    clip.write_bytes(playlist(address))
    with clip.open("rb") as file, pytest.raises(av.FFmpegError):
        av.open(file)
    assert heard


def _noise(count: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (64, 64, 3)).astype(np.uint8) for _ in range(count)]


def _as_playlist(_: bytes, address: str) -> bytes:
    return playlist(address)


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8"])
@pytest.mark.parametrize("make", [_as_playlist, with_reference])
def test_no_video_makes_a_request(
    make: Callable[[bytes, str], bytes],
    suffix: str,
    clip: Path,
    listener: tuple[str, list[bytes]],
) -> None:
    address, heard = listener
    path = clip.with_suffix(suffix)
    path.write_bytes(make(clip.read_bytes(), address))
    with suppress(InputError):
        probe(path, LIMITS)
    assert heard == []


def test_a_stream_that_comes_up_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    """The last picture is said to be of a stream that nobody has heard of."""
    path = write_clip(tmp_path / "clip.ts", walking(40), steady(20, 2), g="10")
    content = bytearray(path.read_bytes())
    begin = content.rindex(b"\x47\x41\x00")  # of a packet that begins a picture, stream 0x100
    content[begin + 2] = 0x57
    path.write_bytes(content)
    assert 1.8 <= probe(path, LIMITS).duration <= 2.1

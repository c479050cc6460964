from pathlib import Path

import pytest

from emotion.errors import UndecodableVideo, UnsupportedVideo
from emotion.video.container import HEAD_BYTES, container_of, open_video
from emotion.video.probe import probe
from emotion.video.settings import VideoLimits
from tests.clips import greys, steady, write_clip


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("mp4", "mov"), ("mov", "mov"), ("mkv", "matroska"), ("avi", "avi"), ("ts", "mpegts")],
)
def test_a_container_is_told_by_its_first_bytes(suffix: str, kind: str, tmp_path: Path) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = write_clip(tmp_path / f"clip.{suffix}", greys([50] * 5), steady(10, 0.5), codec=codec)
    assert container_of(path.read_bytes()[:HEAD_BYTES]) == kind


def test_packets_of_192_bytes_are_a_transport_stream() -> None:
    packet = bytes(4) + b"\x47" + bytes(187)
    assert container_of(packet * 3) == "mpegts"


@pytest.mark.parametrize("length", [188, 192])
def test_a_transport_stream_may_begin_within_a_packet(length: int) -> None:
    packet = b"\x47" + bytes(length - 1)
    for cut in range(length):
        assert container_of((packet * 9)[cut : cut + HEAD_BYTES]) == "mpegts"


def test_a_transport_stream_that_was_cut_anywhere_is_opened(tmp_path: Path) -> None:
    """As recorders and ``split`` leave it."""
    path = write_clip(tmp_path / "clip.ts", greys([50] * 50), steady(10, 5), g="5")
    path.write_bytes(path.read_bytes()[1_000:])
    assert probe(path, VideoLimits()).duration > 3.0


def test_bytes_of_one_kind_are_no_transport_stream() -> None:
    with pytest.raises(UnsupportedVideo):
        container_of(b"\x47" + bytes(187) + b"\x48" + bytes(187))


def test_no_bytes_are_no_video() -> None:
    with pytest.raises(UndecodableVideo):
        container_of(b"")


def test_a_files_name_decides_nothing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", greys([50] * 5), steady(10, 0.5))
    named = path.rename(tmp_path / "http:%2F?*|clip.m3u8")
    with open_video(named, VideoLimits()) as video:
        assert video.container.format.name == "matroska"

from pathlib import Path

import pytest

from emotion.errors import Stopped
from emotion.video.probe import probe
from emotion.video.settings import VideoInfo, VideoLimits
from tests.clips import greys, steady, with_edit, write_clip
from tests.pictures import gradient


def test_a_video_is_described(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [gradient(96, 64)] * 20, steady(10, 2))
    info = probe(path, VideoLimits())
    assert info == VideoInfo("mp4", "h264", 96, 64, 2.0, info.frame_rate)
    assert info.frame_rate == pytest.approx(10, abs=0.6)


@pytest.mark.parametrize(
    ("suffix", "container"),
    [("mp4", "mp4"), ("mov", "mov"), ("webm", "matroska"), ("ts", "mpegts"), ("avi", "avi")],
)
def test_a_container_is_named(suffix: str, container: str, tmp_path: Path) -> None:
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(suffix, "libx264")
    path = write_clip(tmp_path / f"clip.{suffix}", greys([50] * 5), steady(10, 0.5), codec=codec)
    assert probe(path, VideoLimits()).container == container


def test_a_quicktime_file_without_a_brand_is_mov(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mov", greys([50] * 5), steady(10, 0.5))
    path.write_bytes(path.read_bytes().replace(b"ftyp", b"wide", 1))
    assert probe(path, VideoLimits()).container == "mov"


def test_length_is_found_where_the_header_has_none(tmp_path: Path) -> None:
    """As browsers record: WebM that is written while it is not known how long it will be."""
    path = write_clip(tmp_path / "clip.mkv", greys([50] * 20), steady(10, 2))
    content = path.read_bytes()
    at = content.index(b"\x44\x89\x88")  # Matroska's Duration, eight bytes long, becomes Void
    path.write_bytes(content[:at] + b"\xec\x89" + bytes(9) + content[at + 11 :])
    assert probe(path, VideoLimits()).duration == 1.901


def test_the_last_frame_is_inside_the_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", greys([50, 60, 70]), [0.0, 0.5, 3.0])
    assert probe(path, VideoLimits()).duration > 3.0


@pytest.mark.parametrize(("start", "length"), [(0.0, 0.5), (1.0, 1.0), (0.6, 0.8)])
def test_a_trimmed_video_is_as_long_as_players_show_it(
    start: float, length: float, tmp_path: Path
) -> None:
    """What an edit list leaves out is in the file, and isn't shown."""
    path = write_clip(tmp_path / "clip.mp4", greys([50] * 40), steady(20, 2), bf="2", g="8")
    path.write_bytes(with_edit(path.read_bytes(), start, length))
    assert probe(path, VideoLimits()).duration == pytest.approx(length, abs=0.05)


def test_a_look_can_be_stopped(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", greys([50] * 20), steady(10, 2))
    with pytest.raises(Stopped):
        probe(path, VideoLimits(), should_stop=lambda: True)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "seconds", "size"),
    [
        ("face_then_none.mov", 6.402, (960, 540)),
        ("no_face.mp4", 4.015, (960, 540)),
        ("shot_cuts.mp4", 10.02, (640, 360)),
        ("single_face.mp4", 2.4, (640, 360)),
        ("street_many_faces.mp4", 4.2, (1920, 1080)),
    ],
)
def test_real_videos_are_described(
    name: str, seconds: float, size: tuple[int, int], shared_data: Path
) -> None:
    info = probe(shared_data / "videos" / name, VideoLimits())
    assert (info.duration, (info.width, info.height)) == (seconds, size)

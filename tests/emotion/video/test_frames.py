from collections.abc import Sequence
from pathlib import Path

import av
import pytest

from emotion.errors import Stopped, VideoTooLong
from emotion.video.decoding import Skipped, never
from emotion.video.frames import Cut, Event, Picture, frames_of
from emotion.video.probe import probe
from emotion.video.settings import Segment, VideoLimits, VideoSettings, segments
from tests.clips import BEAT, Pixels, grey_of, greys, steady, walking, with_edit, write_clip
from tests.pictures import gradient

LIMITS = VideoLimits()
LEVELS = range(20, 220, 10)


def events(path: Path, settings: VideoSettings, limits: VideoLimits = LIMITS) -> list[Event]:
    """Read all segments of a video."""
    found: list[Event] = []
    for segment in segments(probe(path, LIMITS), settings):
        found += frames_of(path, segment, settings.interval, limits, never)
    return found


def pictures(path: Path, interval: float, seconds: float = 30.0) -> list[Picture]:
    found = events(path, VideoSettings(interval, seconds))
    return [event for event in found if isinstance(event, Picture)]


def told(found: Sequence[Picture]) -> list[tuple[float, int]]:
    """Return times and, of frames from ``greys``, levels to the next ten."""
    return [(one.time, round(grey_of(one.pixels), -1)) for one in found]


def test_of_each_interval_the_first_frame_is_taken(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", greys(LEVELS), steady(10, 2))
    assert told(pictures(path, 0.5)) == [(0.0, 20), (0.5, 70), (1.0, 120), (1.5, 170)]


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mov", "libx264"), ("mkv", "libx264"), ("webm", "libvpx-vp9"), ("ts", "libx264"),
     ("avi", "mpeg4"), ("mp4", "libx265"), ("mp4", "libaom-av1")],
)  # fmt: skip
def test_every_container_gives_the_same_times(suffix: str, codec: str, tmp_path: Path) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no encoder {codec}")
    path = write_clip(tmp_path / f"clip.{suffix}", greys(LEVELS), steady(10, 2), codec=codec)
    assert told(pictures(path, 0.5)) == [(0.0, 20), (0.5, 70), (1.0, 120), (1.5, 170)]


def test_a_variable_rate_is_sampled_by_time(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.3, 0.52, 0.9, 2.1, 2.2, 3.0]
    path = write_clip(tmp_path / "clip.mkv", greys(LEVELS[: len(times)]), times)
    assert told(pictures(path, 0.5)) == [(0.0, 20), (0.52, 50), (2.1, 70), (3.0, 90)]


def test_pictures_that_begin_late_keep_their_time(tmp_path: Path) -> None:
    """As players show it: an edit list, in MP4, says that nothing is shown before."""
    times = [1.2 + time for time in steady(10, 2)]
    path = write_clip(tmp_path / "clip.mp4", greys(LEVELS), times)
    with_edit_list = b"elst" in path.read_bytes()
    assert with_edit_list
    assert told(pictures(path, 0.5))[0] == (0.0, 20)


@pytest.mark.parametrize("seconds", [0.2, 30.0])
def test_of_a_trimmed_video_is_read_what_players_show(seconds: float, tmp_path: Path) -> None:
    """From the edit list's first frame, which is no key frame, to its last."""
    path = write_clip(tmp_path / "clip.mp4", greys(LEVELS), steady(10, 2), bf="2", g="8")
    path.write_bytes(with_edit(path.read_bytes(), 0.5, 1.0))
    shown = [(0.0, 70), (0.2, 90), (0.4, 110), (0.6, 130), (0.8, 150)]
    assert told(pictures(path, 0.2, seconds)) == shown
    assert Skipped() not in events(path, VideoSettings(0.2, seconds))


@pytest.mark.parametrize(("turn", "corner"), [(0, 0), (90, 1), (180, 2), (270, 3)])
def test_pictures_are_turned_upright(turn: int, corner: int, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [gradient(96, 64)] * 5, steady(10, 0.5), turn=turn)
    (picture,) = pictures(path, 1.0)
    height, width = (64, 96) if turn % 180 == 0 else (96, 64)
    assert picture.pixels.shape == (height, width, 3)
    assert (probe(path, LIMITS).width, probe(path, LIMITS).height) == (width, height)
    # The left top corner has neither red nor green; a turn to the left takes it to the left bottom.
    places = [(0, 0), (height - 1, 0), (height - 1, width - 1), (0, width - 1)]
    darkest = min(range(4), key=lambda one: int(picture.pixels[places[one]][:2].sum()))
    assert darkest == corner


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", [gradient(96, 64)] * 5, steady(10, 0.5), aspect="2:1")
    (picture,) = pictures(path, 1.0)
    assert picture.pixels.shape == (64, 192, 3)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
@pytest.mark.parametrize("seconds", [0.5, 1.3])
def test_segments_give_what_the_whole_gives(codec: str, seconds: float, tmp_path: Path) -> None:
    suffix = "avi" if codec == "mpeg4" else "mp4"
    path = write_clip(tmp_path / f"clip.{suffix}", walking(75), steady(25, 3), codec=codec, g="20")
    whole, parts = pictures(path, 0.1), pictures(path, 0.1, seconds)
    assert [one.time for one in parts] == [one.time for one in whole]
    assert all((a.pixels == b.pixels).all() for a, b in zip(whole, parts, strict=True))
    assert len(whole) == 30


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_segments_of_a_stream_give_what_the_whole_gives(suffix: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", walking(150), steady(25, 6), g="30", bf="2")
    whole, parts = pictures(path, 0.5), pictures(path, 0.5, 1.5)
    assert [one.time for one in parts] == [one.time for one in whole]
    assert all((a.pixels == b.pixels).all() for a, b in zip(whole, parts, strict=True))


def test_a_cut_is_found_at_a_segments_border_too(tmp_path: Path) -> None:
    frames = [*greys([60] * 50), *_checks(50)]
    path = write_clip(tmp_path / "clip.mp4", frames, steady(25, 4), g="25")
    for seconds in (30.0, 2.0, 1.0, 0.5):
        found = events(path, VideoSettings(0.5, seconds))
        assert [event for event in found if isinstance(event, Cut)] == [Cut(2.0)]


def _checks(count: int) -> list[Pixels]:
    return [(gradient(64, 64) // 128 * 200).astype("uint8")] * count


def test_a_clock_that_jumps_back_is_not_followed(tmp_path: Path) -> None:
    """The same two seconds twice: MPEG-TS files can simply be joined."""
    path = write_clip(tmp_path / "clip.ts", greys(LEVELS), steady(10, 2), g="5")
    path.write_bytes(path.read_bytes() * 2)
    found = events(path, VideoSettings(0.5))
    shown = [event for event in found if isinstance(event, Picture)]
    assert told(shown) == [(0.0, 20), (0.5, 70), (1.0, 120), (1.5, 170)]
    assert sum(isinstance(event, Skipped) for event in found) == len(LEVELS)


def test_damaged_packets_are_skipped_and_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", walking(100), steady(25, 4), codec="mjpeg")
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\xd8", len(content) // 2)
    content[start : start + 2000] = bytes(2000)
    path.write_bytes(content)
    found = events(path, VideoSettings(0.1))
    assert sum(isinstance(event, Picture) for event in found) >= 38
    assert sum(isinstance(event, Skipped) for event in found) == 1
    assert events(path, VideoSettings(0.1, 1.0)).count(Skipped()) == 1


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", greys([120]), [0.0])
    assert told(pictures(path, 0.5)) == [(0.0, 120)]


def test_frames_that_grow_beyond_the_limit_are_skipped(tmp_path: Path) -> None:
    one = write_clip(
        tmp_path / "one.ts", greys(LEVELS), steady(25, 0.8), codec="mpeg2video", beat=25
    )
    times = [0.8 + time for time in steady(25, 0.8)]
    other = write_clip(
        tmp_path / "other.ts", greys(LEVELS, side=256), times, codec="mpeg2video", beat=25
    )
    one.write_bytes(one.read_bytes() + other.read_bytes())
    found = events(one, VideoSettings(0.1), VideoLimits(max_pixels=10_000))
    shapes = {event.pixels.shape for event in found if isinstance(event, Picture)}
    assert shapes == {(64, 64, 3)}
    assert sum(isinstance(event, Skipped) for event in found) >= 19


def test_time_beyond_the_limit_is_refused_while_decoding(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", greys(LEVELS), steady(10, 2))
    segment, limits = Segment(0, 0.0, 2.0), VideoLimits(max_seconds=1.0)
    with pytest.raises(VideoTooLong):
        list(frames_of(path, segment, 0.5, limits, never))


def test_reading_stops_when_it_is_told_to(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", greys(LEVELS), steady(10, 2))
    with pytest.raises(Stopped):
        list(frames_of(path, Segment(0, 0.0, 2.0), 0.5, LIMITS, lambda: True))


def test_times_are_told_to_the_millisecond(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", greys(LEVELS[:2]), [0.0, 40_041 / BEAT])
    assert [one.time for one in pictures(path, 0.5)] == [0.0, 0.667]

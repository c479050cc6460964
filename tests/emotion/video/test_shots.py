from pathlib import Path

import av
import numpy as np
import pytest

from emotion.video.decoding import never
from emotion.video.frames import Cut, frames_of
from emotion.video.settings import Segment, VideoLimits
from emotion.video.shots import ShotBoundaries
from tests.clips import Pixels, astronaut_at
from tests.pictures import astronaut, gradient


def cuts(frames: list[Pixels]) -> list[int]:
    """Return the frames at which a shot begins."""
    shots = ShotBoundaries()
    found = [shots.is_cut(av.VideoFrame.from_ndarray(one, format="rgb24")) for one in frames]
    return [row for row, is_cut in enumerate(found) if is_cut]


def scene(shift: int) -> Pixels:
    return np.ascontiguousarray(np.roll(astronaut(), shift, axis=1)[:288])


def test_another_picture_is_a_cut() -> None:
    other = np.ascontiguousarray(gradient(512, 288)[::-1])
    assert cuts([scene(0)] * 5 + [other] * 5) == [5]


def test_a_face_that_moves_is_no_cut() -> None:
    assert cuts([astronaut_at(20 * step, 30) for step in range(8)]) == []


def test_a_camera_that_pans_fast_is_no_cut() -> None:
    assert cuts([scene(40 * step) for step in range(12)]) == []


def test_frames_that_are_shown_twice_hide_no_motion() -> None:
    frames = [scene(40 * step) for step in range(12)]
    assert cuts([one for pair in zip(frames, frames, strict=True) for one in pair]) == []


def test_a_flash_is_no_cut() -> None:
    bright = (scene(0) // 2 + 127).astype(np.uint8)
    assert cuts([scene(0)] * 4 + [bright] + [scene(0)] * 4) == []


def test_a_fade_is_no_cut() -> None:
    frames = [(scene(0) * (1 - step / 10)).astype(np.uint8) for step in range(10)]
    assert cuts(frames) == []


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shot_cuts.mp4", [1.511, 3.58, 7.884]),
        ("face_then_none.mov", [2.4]),
        ("street_many_faces.mp4", []),
        ("single_face.mp4", []),
        ("no_face.mp4", []),
    ],
)
def test_cuts_of_real_videos_are_where_they_are_seen(
    name: str, expected: list[float], shared_data: Path
) -> None:
    path = shared_data / "videos" / name
    events = frames_of(path, Segment(0, 0.0, 60.0), 60.0, VideoLimits(), never)
    assert [event.time for event in events if isinstance(event, Cut)] == expected

from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.clips import background, face_box, grainy, head, paste, write_clip
from benchmarks.identity import IdentityCount, count_identities, joint
from benchmarks.measured import write_figures
from benchmarks.tracking import drawn
from benchmarks.walking_faces import HEIGHT, WIDTH, scene
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import Box
from tests.emotion.video.observed import face_at, frames_of_faces

HERE, THERE = face_at(100), face_at(400)
PLACES = {1: HERE.detection.box, 2: THERE.detection.box}


def count(numbers: list[tuple[int | None, ...]]) -> IdentityCount:
    frames = frames_of_faces([[HERE, THERE]] * len(numbers))
    return count_identities([PLACES] * len(numbers), frames, numbers)


def test_everybody_followed_is_one() -> None:
    assert count([(0, 1)] * 4) == IdentityCount(8, 8, 8)
    assert count([(0, 1)] * 4).idf1 == 1.0


def test_a_swap_costs_what_comes_after_or_before() -> None:
    assert count([(0, 1), (0, 1), (0, 1), (1, 0)]) == IdentityCount(8, 8, 6)


def test_a_new_number_costs_what_it_takes() -> None:
    assert count([(0, 1), (0, 1), (0, 1), (2, 1)]) == IdentityCount(8, 8, 7)


def test_faces_that_are_not_followed_are_missed() -> None:
    found = count([(0, None)] * 4)
    assert found == IdentityCount(8, 4, 4)
    assert found.idf1 == pytest.approx(2 / 3)


def test_clips_are_added_up() -> None:
    assert IdentityCount(1, 2, 1) + IdentityCount(3, 4, 2) == IdentityCount(4, 6, 3)


def test_boxes_share_of_their_joint_area() -> None:
    one = Box(0, 0, 10, 10)
    assert joint(one, one) == 1.0
    assert joint(one, Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert joint(one, Box(50, 0, 10, 10)) == 0.0


def test_a_scene_is_the_same_each_time_and_stays_in_the_frame() -> None:
    one = scene(3, 0.5)
    assert one == scene(3, 0.5)
    assert len(one.frames) == len(one.truth) == 120
    middles = [
        (box.x + box.width / 2, box.y + box.height / 2)
        for seen in one.truth
        for box in seen.values()
    ]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in middles)


def test_drawn_scenes_are_tracked() -> None:
    assert drawn(0.2, scenes=2).idf1 > 0.9


def test_the_head_of_clips_has_its_face_where_it_is_said(face_network: FaceNetwork) -> None:
    canvas, picture = background(640, 360), head(120)
    paste(canvas, picture, 200, 60)
    (found,) = detect(canvas, face_network, DetectionSettings())
    assert joint(found.box, face_box(picture, 200, 60)) > 0.8


def test_a_head_beside_the_frame_changes_nothing() -> None:
    canvas = background(64, 48)
    paste(canvas, head(20), -40, 0)
    assert np.array_equal(canvas, background(64, 48))


def test_a_clip_has_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, grainy([background(64, 48)] * 20), 10)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [round(frame.time or 0.0, 2) for frame in frames] == [step / 10 for step in range(20)]


def test_figures_of_other_benchmarks_stay(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    write_figures(file, "one", {"speed": 1})
    write_figures(file, "other", {"speed": 2})
    write_figures(file, "one", {"speed": 3})
    text = file.read_text()
    assert (text.count('"speed": 3'), text.count('"speed": 2'), text.count("measured")) == (1, 1, 2)

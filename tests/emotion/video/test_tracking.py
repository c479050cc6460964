"""Faces on paths; numbers are given in the order in which they appear."""

from collections.abc import Sequence

import pytest

from emotion.faces import Face
from emotion.video.observations import SampledFrame
from emotion.video.tracking import Numbers, track_faces
from tests.emotion.video.observed import face_at, frames_of_faces

SIZE = (640, 360)


def numbers(
    rows: Sequence[Sequence[Face]], cuts: Sequence[float] = (), interval: float = 0.5
) -> Numbers:
    return track_faces(frames_of_faces(rows, interval), cuts, SIZE, 0.6)


def test_a_face_that_stays_is_one() -> None:
    assert numbers([[face_at(100)]] * 4) == [(0,)] * 4


def test_a_face_that_walks_a_width_a_second_is_one() -> None:
    rows = [[face_at(50 + 30 * step)] for step in range(12)]
    assert numbers(rows) == [(0,)] * 12


def test_a_face_that_jumps_is_one_while_nobody_else_is_near() -> None:
    rows = [[face_at(200, 100)], [face_at(210, 130)], [face_at(205, 85)], [face_at(240, 120)]]
    assert numbers(rows) == [(0,)] * 4


def test_who_was_seen_once_takes_nobody_elses_face() -> None:
    """Somebody walks by in front, and is gone; the camera shakes."""
    rows = [
        [face_at(100, 150, width=80), face_at(300, 100)],
        [face_at(345, 115)],
        [face_at(290, 120)],
        [face_at(270, 160)],
        [face_at(225, 158)],
    ]
    assert numbers(rows) == [(0, 1), (1,), (1,), (1,), (1,)]


def test_people_who_walk_to_a_camera_that_shakes_keep_their_numbers() -> None:
    """Two of the street's people, as the detector finds them, and those who walk by in front."""
    man = [(701, 592), (763, 613), (683, 622), (658, 678), (603, 677), (563, 672), (543, 670)]
    boy = [(949, 675), (989, 708), (1015, 740), (1040, 769), (984, 768), (958, 739), (886, 726)]
    rows = [
        [face_at(*one, width=70 + 4 * step), face_at(*other, width=66 + 4 * step)]
        for step, (one, other) in enumerate(zip(man, boy, strict=True))
    ]
    rows[0] += [face_at(337, 773, width=95), face_at(1493, 553, width=93)]
    rows[1] += [face_at(809, 799, width=98)]
    rows[2] += [face_at(1270, 841, width=97)]
    found = track_faces(frames_of_faces(rows), (), (1920, 1080), 0.6)
    assert [row[:2] for row in found] == [(0, 1)] * 7
    assert [row[2:] for row in found[:3]] == [(2, 3), (4,), (5,)]


def test_men_who_stand_side_by_side_and_hide_each_other_keep_their_numbers() -> None:
    """Two of the street's, as the detector finds them while the camera shakes."""
    white_hair = [
        (1106, 639),
        (1126, 663),
        (1108, 689),
        None,
        (1108, 693),
        (1093, 702),
        (1112, 696),
    ]
    glasses = [*[None] * 4, (1158, 727), (1158, 720), (1203, 714), (1183, 714), (1210, 722)]
    rows = [
        [face_at(*place, width=52) for place in places if place is not None]
        for places in zip([*white_hair, None, (1140, 693)], glasses, strict=True)
    ]
    found = track_faces(frames_of_faces(rows), (), (1920, 1080), 0.6)
    assert found == [(0,), (0,), (0,), (), (0, 1), (0, 1), (0, 1), (1,), (0, 1)]


def test_who_comes_back_smaller_than_anybody_shrinks_is_somebody_else() -> None:
    """A woman walks by in front; later another's face is where hers was, further away."""
    rows = [[face_at(200, 100, width=90)]] * 2 + [[]] * 2 + [[face_at(215, 115, width=60)]] * 2
    assert numbers(rows) == [(0,), (0,), (), (), (1,), (1,)]


def test_who_comes_back_far_from_where_they_were_is_somebody_else() -> None:
    rows = [[face_at(100)]] * 4 + [[]] * 2 + [[face_at(190)]] * 2
    assert numbers(rows) == [(0,)] * 4 + [()] * 2 + [(1,)] * 2


def test_who_walked_and_comes_back_where_they_stopped_is_the_same() -> None:
    """Or a camera that was shaken is still again."""
    walk = [[face_at(100, 50 + 30 * step)] for step in range(5)]
    assert numbers([*walk, [], [face_at(100, 170)]])[-1] == (0,)


def test_who_was_seen_once_is_not_awaited_for_long() -> None:
    rows = [[face_at(100)], [], [], [], [face_at(110)], [face_at(110)]]
    assert numbers(rows) == [(0,), (), (), (), (1,), (1,)]


def test_faces_are_numbered_as_they_appear() -> None:
    one, other = face_at(100), face_at(400)
    assert numbers([[one], [one], [other, one], [other, one]]) == [(0,), (0,), (1, 0), (1, 0)]


def test_faces_that_cross_keep_their_numbers() -> None:
    """One is nearer, and hides the other for one frame."""
    rows = []
    for step in range(12):
        near, far = face_at(100 + 30 * step, width=70), face_at(430 - 30 * step, width=50)
        rows.append([near] if step in (5, 6) else [near, far])
    found = numbers(rows)
    assert found[0] == found[4] == found[7] == found[11] == (0, 1)


@pytest.mark.parametrize("interval", [0.1, 0.2, 0.5])
def test_a_face_that_is_hidden_for_a_second_is_the_same(interval: float) -> None:
    hidden = round(1 / interval)
    rows = [[face_at(100)]] * 10 + [[]] * hidden + [[face_at(100)]] * 3
    assert numbers(rows, interval=interval)[-1] == (0,)


def test_a_face_that_walks_on_behind_a_post_is_the_same() -> None:
    rows = [[face_at(50 + 25 * step)] if step not in (6, 7) else [] for step in range(12)]
    assert numbers(rows)[-1] == (0,)


def test_a_face_that_is_gone_for_long_is_a_new_one() -> None:
    rows = [[face_at(100)]] * 4 + [[]] * 7 + [[face_at(100)]] * 4
    assert numbers(rows)[-1] == (1,)


def test_who_leaves_the_frame_comes_back_as_somebody_new() -> None:
    out = [[face_at(40 - 30 * step)] for step in range(4)]
    back = [[face_at(-20 + 30 * step)] for step in range(3)]
    assert numbers([*out, [], [], *back])[-1] == (1,)


def test_a_cut_ends_everybody() -> None:
    rows = [[face_at(100)]] * 6
    assert numbers(rows, cuts=[1.2]) == [(0,)] * 3 + [(1,)] * 3


def test_a_cut_at_a_frame_begins_with_that_frame() -> None:
    assert numbers([[face_at(100)]] * 4, cuts=[1.0]) == [(0,), (0,), (1,), (1,)]


def test_an_unsure_face_goes_on_with_a_track() -> None:
    rows = [[face_at(100)], [face_at(102)], [face_at(104, score=0.35)], [face_at(106)]]
    assert numbers(rows) == [(0,)] * 4


def test_an_unsure_face_begins_no_track() -> None:
    assert numbers([[face_at(100, score=0.5)]] * 4) == [(None,)] * 4


def test_a_doubtful_face_that_is_seen_once_was_none() -> None:
    assert numbers([[], [face_at(100, score=0.7)], [], []]) == [(), (None,), (), ()]


def test_a_sure_face_that_is_seen_once_counts() -> None:
    assert numbers([[face_at(100, score=0.95)]]) == [(0,)]


def test_frames_may_be_far_apart() -> None:
    frames = [SampledFrame(time, (face_at(100),)) for time in (0.0, 40.0, 80.0)]
    assert track_faces(frames, (), SIZE, 0.6) == [(0,), (0,), (0,)]


def test_no_frames_have_no_faces() -> None:
    assert track_faces([], [0.5], SIZE, 0.6) == []

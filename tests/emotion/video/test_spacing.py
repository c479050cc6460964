import pytest

from emotion.video.spacing import Spacing, spacing_of, stops_of


def test_where_each_interval_has_a_frame_that_is_the_spacing() -> None:
    thirtieths = [frame / 30 for frame in (0, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12)]
    assert spacing_of(thirtieths, 0.04, 0.42).usual == 0.04
    assert spacing_of([0.0, 0.501, 1.001], 0.5, 1.5).usual == 0.5


def test_of_fewer_frames_than_intervals_the_usual_spacing_is_told() -> None:
    assert spacing_of([0.0, 1.0, 2.0, 3.0], 0.5, 4.0) == Spacing(usual=1.0, longest=1.0)
    assert spacing_of([0.0, 0.667, 1.333, 2.0], 0.5, 2.667) == Spacing(usual=0.667, longest=0.667)


def test_the_longest_time_without_a_frame_may_be_at_either_end() -> None:
    assert spacing_of([0.0, 0.5, 1.0], 0.5, 60.0) == Spacing(usual=0.5, longest=59.0)
    assert spacing_of([9.0, 9.5, 10.0], 0.5, 10.5) == Spacing(usual=0.5, longest=9.0)


@pytest.mark.parametrize(("times", "longest"), [([], 4.0), ([0.0], 4.0)])
def test_of_one_frame_or_none_the_interval_is_told(times: list[float], longest: float) -> None:
    assert spacing_of(times, 0.5, 4.0) == Spacing(usual=0.5, longest=longest)


def test_a_frame_stands_until_the_next_and_the_last_until_the_end() -> None:
    times = [0.0, 1.0, 2.5]
    assert stops_of(times, Spacing(1.0, 1.5), 3.2) == {0.0: 1.0, 1.0: 2.5, 2.5: 3.2}


def test_before_a_gap_a_frame_stands_for_the_usual_spacing() -> None:
    times = [0.0, 0.5, 1.0, 4.0]
    assert stops_of(times, Spacing(0.5, 56.0), 60.0) == {0.0: 0.5, 0.5: 1.0, 1.0: 1.5, 4.0: 4.5}


def test_gaps_are_told_from_jitter() -> None:
    assert not Spacing(0.5, 1.5).has_gaps
    assert Spacing(0.5, 1.6).has_gaps

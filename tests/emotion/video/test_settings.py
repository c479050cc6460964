import pytest

from emotion.errors import InvalidRequest
from emotion.video.settings import Segment, VideoInfo, VideoSettings, grid_point, segments


def info(duration: float) -> VideoInfo:
    return VideoInfo("mov", "h264", 640, 360, duration, 25.0)


def test_segments_cover_the_grid_without_a_gap() -> None:
    found = segments(info(70.2), VideoSettings(0.5, 30.0))
    assert found == [Segment(0, 0.0, 30.0), Segment(1, 30.0, 60.0), Segment(2, 60.0, 70.5)]


@pytest.mark.parametrize("interval", [0.04, 0.1, 0.3, 0.7, 1 / 3, 60.0])
def test_segments_of_any_interval_share_their_borders(interval: float) -> None:
    found = segments(info(1000.0), VideoSettings(interval, 7.0))
    points = [(grid_point(one.start, interval), grid_point(one.stop, interval)) for one in found]
    assert points[0][0] == 0
    assert [stop for _, stop in points[:-1]] == [start for start, _ in points[1:]]
    assert (points[-1][1] - 1) * interval < 1000 <= points[-1][1] * interval + 1e-6


@pytest.mark.parametrize("duration", [0.0, 0.001, 0.4])
def test_the_shortest_video_has_a_segment(duration: float) -> None:
    assert segments(info(duration), VideoSettings()) == [Segment(0, 0.0, 0.5)]


def test_an_interval_longer_than_a_segment_makes_segments_of_one_point() -> None:
    found = segments(info(100.0), VideoSettings(40.0, 10.0))
    assert [(one.start, one.stop) for one in found] == [(0.0, 40.0), (40.0, 80.0), (80.0, 120.0)]


@pytest.mark.parametrize("interval", [0.0, -1.0, 0.039, 60.1, float("nan"), float("inf")])
def test_an_interval_out_of_range_is_refused(interval: float) -> None:
    with pytest.raises(InvalidRequest, match=r"interval: .* is not between 0\.04 and 60 seconds"):
        VideoSettings(interval)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_segment_has_a_length(seconds: float) -> None:
    with pytest.raises(InvalidRequest, match="segment_seconds"):
        VideoSettings(segment_seconds=seconds)


@pytest.mark.parametrize("score", [0.0, 1.1, float("nan")])
def test_a_score_is_a_share(score: float) -> None:
    with pytest.raises(InvalidRequest, match="min_score"):
        VideoSettings(min_score=score)

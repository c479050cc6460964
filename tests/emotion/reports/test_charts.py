import pytest

from emotion.labels import EMOTIONS, Emotion
from emotion.reports.charts import (
    Axis,
    Mark,
    Run,
    area,
    clock,
    columns_of,
    marks_of,
    runs_of,
    stacked,
)
from emotion.video.engagement import Engagement
from emotion.video.report import AudienceMoment
from tests.emotion.reports.made_up import large_report, report_of_times, small_report
from tests.emotion.video.observed import face_at


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "0:00"), (65.0, "1:05"), (3725.0, "1:02:05"), (0.5, "0:00.5"), (59.999, "1:00"),
     (36000.0, "10:00:00"), (0.96, "0:01")],
)  # fmt: skip
def test_a_time_is_told_as_players_show_it(seconds: float, told: str) -> None:
    assert clock(seconds) == told


@pytest.mark.parametrize("duration", [0.001, 2.4, 59.0, 600.0, 5400.0, 14_400.0])
def test_an_axis_has_few_ticks(duration: float) -> None:
    axis = Axis(duration, 0.5)
    assert 1 <= len(axis.ticks()) <= 7
    assert all(0 <= axis.x(tick) <= 1000 for tick in axis.ticks())


def test_times_too_close_together_share_a_mark() -> None:
    times = [0.0, 0.0, 2.0, 10.0, 14.0, 20.0]
    assert marks_of(times, Axis(100.0, 0.5)) == [
        Mark(0.0, (1, 2, 3)),
        Mark(100.0, (4,)),
        Mark(140.0, (5,)),
        Mark(200.0, (6,)),
    ]


def moment(time: float, emotion: Emotion | None) -> AudienceMoment:
    if emotion is None:
        return AudienceMoment(time, 0, (0.0,) * 7, None)
    shares = tuple(float(one is emotion) for one in EMOTIONS)
    return AudienceMoment(time, 2, shares, Engagement(1.0, 0.5))


def axis_of(*stops: float, start: float = 0.0, interval: float = 0.5) -> Axis:
    """Return an axis of frames without gaps, each from the stop of the one before."""
    return Axis(stops[-1], interval, dict(zip((start, *stops), stops, strict=False)))


def test_shares_are_stacked_from_the_bottom() -> None:
    axis = axis_of(0.5, 1.0)
    columns = columns_of([moment(0.0, Emotion.HAPPY), moment(0.5, Emotion.SAD)], axis)
    assert stacked(columns) == [
        (Emotion.HAPPY, "M0,0 500,0 500,100 1000,100 1000,100 500,100 500,100 0,100Z"),
        (Emotion.SAD, "M0,0 500,0 500,0 1000,0 1000,100 500,100 500,0 0,0Z"),
    ]


def test_an_outline_is_broken_where_nobody_is() -> None:
    moments = [moment(0.0, Emotion.HAPPY), moment(0.5, None), moment(1.0, Emotion.HAPPY)]
    outline = area(columns_of(moments, axis_of(0.5, 1.0, 1.5)), lambda column: column.engagement)
    assert outline == "M0,25 333.3,25 333.3,100 0,100ZM666.7,25 1000,25 1000,100 666.7,100Z"


def test_a_column_lasts_until_the_next_frame() -> None:
    moments = [moment(time, Emotion.HAPPY) for time in (0.0, 1.0, 3.0)]
    columns = columns_of(moments, axis_of(1.0, 3.0, 4.0))
    assert [(one.left, one.right) for one in columns] == [(0, 250), (250, 750), (750, 1000)]


def test_a_column_begins_with_its_frame() -> None:
    (column,) = columns_of([moment(0.767, Emotion.HAPPY)], Axis(2.0, 0.5, {0.767: 1.0}))
    assert (column.left, column.right) == (383.5, 500.0)


def test_a_gap_between_frames_breaks_an_outline() -> None:
    moments = [moment(0.0, Emotion.HAPPY), moment(1.5, Emotion.HAPPY)]
    columns = columns_of(moments, Axis(2.0, 0.5, {0.0: 0.5, 1.5: 2.0}))
    outline = area(columns, lambda column: column.engagement)
    assert outline == "M0,25 250,25 250,100 0,100ZM750,25 1000,25 1000,100 750,100Z"


def test_a_lane_lasts_from_frame_to_frame_and_breaks_where_the_face_is_not_seen() -> None:
    shown = [[face_at(100)], [face_at(100)], [], [face_at(100)]]
    report = report_of_times([0.0, 1.0, 2.0, 3.0], 4.0, shown)
    assert runs_of(report.faces[0].moments, axis_of(1.0, 2.0, 3.0, 4.0)) == [
        Run(Emotion.NEUTRAL, 0.0, 2.0),
        Run(Emotion.NEUTRAL, 3.0, 4.0),
    ]


def test_a_long_video_is_thinned_out() -> None:
    moments = [moment(step * 0.5, Emotion.HAPPY) for step in range(28_800)]
    axis = axis_of(*[(step + 1) * 0.5 for step in range(28_800)])
    columns = columns_of(moments, axis)
    assert len(columns) == 240
    assert columns[0].shares == columns[-1].shares == moments[0].shares


def test_a_lane_is_joined_into_runs() -> None:
    face = small_report().faces[0]
    assert runs_of(face.moments, axis_of(0.5, 1.0, 1.5, 2.0)) == [Run(Emotion.NEUTRAL, 0.0, 1.5)]


def test_a_lane_of_a_long_video_has_few_runs() -> None:
    report = large_report(people=1, frames=4000, interval=0.5)
    axis = axis_of(*[(step + 1) * 0.5 for step in range(4000)])
    runs = runs_of(report.faces[0].moments, axis)
    assert 100 < len(runs) <= 240

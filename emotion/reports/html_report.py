"""A video's report as one HTML page: ``video.html`` beside this module."""

from dataclasses import dataclass
from datetime import datetime

from emotion.labels import EMOTIONS, Emotion
from emotion.reports.charts import (
    Axis,
    Run,
    area,
    columns_of,
    marks_of,
    runs_of,
    stacked,
)
from emotion.reports.pages import template
from emotion.reports.wording import CONTAINERS, INDEX, LIMITS, spacing_words
from emotion.video.report import FaceReport, Report, Shares
from emotion.video.spacing import spacing_of, stops_of

# The faces that are seen longest are shown at once, more when asked for; a page stays readable, and
# opens fast. The other forms have all of them.
_SHOWN_LANES, _MOST_LANES = 24, 200
_MOST_SHARES = 3


@dataclass(frozen=True, slots=True)
class _Lane:
    """One face's row: its number from 1 in the order of appearance, what it shows, and when."""

    number: int
    face: FaceReport
    shares: list[tuple[Emotion, float]]
    runs: list[Run]


def as_html(report: Report, title: str, created_at: datetime | None) -> bytes:
    """Write a report for people."""
    times = [moment.time for moment in report.audience.moments]
    duration, interval = report.info.duration, report.settings.interval
    spacing = spacing_of(times, interval, duration)
    axis = Axis(duration, interval, stops_of(times, spacing, duration))
    columns = columns_of(report.audience.moments, axis)
    most = max(report.audience.most_at_once, 1)
    lanes = [
        _Lane(number, face, _ranking(face.shares)[:_MOST_SHARES], runs_of(face.moments, axis))
        for number, face in enumerate(report.faces, start=1)
    ]
    longest = sorted(lanes, key=lambda lane: len(lane.face.moments), reverse=True)
    shown = {lane.number for lane in longest[:_SHOWN_LANES]}
    more = {lane.number for lane in longest[_SHOWN_LANES:_MOST_LANES]}
    text = template("video.html").render(
        report=report,
        title=title or "Video",
        created_at=created_at,
        axis=axis,
        spacing=spacing_words(spacing),
        looks=sum(moment.faces for moment in report.audience.moments),
        areas=stacked(columns),
        marks=marks_of([moment.time for moment in report.key_moments], axis),
        crowd=area(columns, lambda column: column.faces / most),
        engagement=area(columns, lambda column: column.engagement),
        lanes=[lane for lane in lanes if lane.number in shown],
        other_lanes=[lane for lane in lanes if lane.number in more],
        left_out=max(0, len(lanes) - _MOST_LANES),
        shares=_ranking(report.audience.shares),
        container=CONTAINERS.get(report.info.container, report.info.container),
        limits=LIMITS,
        index=INDEX,
    )
    return text.encode()


def _ranking(shares: Shares) -> list[tuple[Emotion, float]]:
    """Return the emotions that are shown at all, the most frequent first."""
    pairs = zip(EMOTIONS, shares, strict=True)
    return sorted(((one, share) for one, share in pairs if share), key=lambda pair: -pair[1])

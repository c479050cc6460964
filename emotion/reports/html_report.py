"""A video's report as one HTML page: ``page.html`` beside this module."""

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
from emotion.reports.wording import INDEX, LIMITS
from emotion.video.report import FaceReport, Report

# The faces that are seen longest are shown at once, more when asked for; a page stays readable, and
# opens fast. The other forms have all of them.
_SHOWN_LANES, _MOST_LANES = 24, 200


@dataclass(frozen=True, slots=True)
class _Lane:
    """One face's row: its number from 1 in the order of appearance, and what it shows when."""

    number: int
    face: FaceReport
    runs: list[Run]


def as_html(report: Report, title: str, created_at: datetime | None) -> bytes:
    """Write a report for people."""
    axis = Axis(report.info.duration, report.settings.interval)
    columns = columns_of(report.audience.moments, axis)
    most = max(report.audience.most_at_once, 1)
    lanes = [
        _Lane(number, face, runs_of(face.moments, axis))
        for number, face in enumerate(report.faces, start=1)
    ]
    longest = sorted(lanes, key=lambda lane: len(lane.face.moments), reverse=True)
    shown = {lane.number for lane in longest[:_SHOWN_LANES]}
    more = {lane.number for lane in longest[_SHOWN_LANES:_MOST_LANES]}
    text = template("page.html").render(
        report=report,
        title=title or "Video",
        created_at=created_at,
        axis=axis,
        areas=stacked(columns),
        marks=marks_of([moment.time for moment in report.key_moments], axis),
        crowd=area(columns, lambda column: column.faces / most),
        engagement=area(columns, lambda column: column.engagement),
        lanes=[lane for lane in lanes if lane.number in shown],
        other_lanes=[lane for lane in lanes if lane.number in more],
        left_out=max(0, len(lanes) - _MOST_LANES),
        shares=_ranking(report),
        limits=LIMITS,
        index=INDEX,
    )
    return text.encode()


def _ranking(report: Report) -> list[tuple[Emotion, float]]:
    """Return the emotions that are shown at all, the most frequent first."""
    pairs = zip(EMOTIONS, report.audience.shares, strict=True)
    return sorted(((one, share) for one, share in pairs if share), key=lambda pair: -pair[1])

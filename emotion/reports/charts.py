"""A report's figures as shapes along a time axis, thinned out to what a screen can show.

All shapes lie in a box of ``WIDTH`` by ``HEIGHT`` that a page stretches to any size, time from left
to right.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from emotion.labels import EMOTIONS, Emotion
from emotion.video.report import AudienceMoment, FaceMoment

WIDTH, HEIGHT = 1000, 100
# More columns than a page has pixels to show them in are joined.
_AUDIENCE_COLUMNS, _LANE_COLUMNS = 240, 240
_MOST_TICKS = 6
_TICK_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MINUTE, _HOUR = 60, 3600
# Seconds.
_SHORTEST = 0.001
# Marks that lie closer would hide each other.
_MARK_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Axis:
    """The times of a video.

    Attributes:
        duration: of the video, in seconds.
        interval: seconds between two frames, as was asked for.
        stops: until when each frame stands that was looked at, by its time.
    """

    duration: float
    interval: float
    stops: Mapping[float, float] = field(default_factory=dict)

    def x(self, time: float) -> float:
        """Return where a time lies, 0 to ``WIDTH``."""
        share = min(max(time / max(self.duration, _SHORTEST), 0.0), 1.0)
        return round(WIDTH * share, 1)

    def ticks(self) -> list[float]:
        """Return a few round times."""
        steps = (step for step in _TICK_STEPS if self.duration / step < _MOST_TICKS)
        step = next(steps, _TICK_STEPS[-1])
        return [count * step for count in range(int(self.duration / step) + 1)]


@dataclass(frozen=True, slots=True)
class Column:
    """The audience over a part of the axis: from left to right, means over its moments.

    Attributes:
        left: where its first frame begins to stand, 0 to ``WIDTH``.
        right: where its last one ends.
        faces: the most that are seen at once.
        shares: of all its faces, by emotion; None where there are none.
        engagement: index, 0 to 1.
    """

    left: float
    right: float
    faces: int
    shares: tuple[float, ...] | None
    engagement: float


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of time in which one face shows one emotion; times in seconds."""

    emotion: Emotion
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands above the axis: where, 0 to ``WIDTH``, and the numbers of what happens there."""

    x: float
    numbers: tuple[int, ...]


# A column, and from where to where it is filled, 0 to 1.
_Step = tuple[Column, float, float]


def clock(seconds: float) -> str:
    """Return a time as players show it: 1:05, 1:02:05, and 0:00.5 where there is a fraction."""
    whole, tenths = divmod(round(seconds * 10), 10)
    hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
    rest = f"{whole % _MINUTE:02d}" + (f".{tenths}" if tenths else "")
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def columns_of(moments: Sequence[AudienceMoment], axis: Axis) -> list[Column]:
    """Join an audience's moments into at most 240 columns, in order of time."""
    seconds = max(axis.interval, axis.duration / _AUDIENCE_COLUMNS)
    columns = []
    for _, group in groupby(moments, key=lambda moment: int(moment.time / seconds + 1e-6)):
        members = list(group)
        left, right = axis.x(members[0].time), axis.x(axis.stops[members[-1].time])
        faces = sum(member.faces for member in members)
        shares = tuple(
            sum(member.faces * member.shares[row] for member in members) / faces if faces else 0.0
            for row in range(len(EMOTIONS))
        )
        index = sum(one.faces * one.engagement.index for one in members if one.engagement)
        most = max(member.faces for member in members)
        columns.append(
            Column(left, right, most, shares if faces else None, index / faces if faces else 0.0)
        )
    return columns


def stacked(columns: Sequence[Column]) -> list[tuple[Emotion, str]]:
    """Return the outline of each emotion's share, stacked from the bottom in label order."""
    floors = [0.0] * len(columns)
    areas = []
    for row, emotion in enumerate(EMOTIONS):
        shares = [column.shares[row] if column.shares else 0.0 for column in columns]
        tops = [floor + share for floor, share in zip(floors, shares, strict=True)]
        if any(shares):
            areas.append((emotion, _outline(columns, floors, tops)))
        floors = tops
    return areas


def area(columns: Sequence[Column], height: Callable[[Column], float]) -> str:
    """Return the outline of one figure, 0 to 1, from the bottom."""
    return _outline(columns, [0.0] * len(columns), [height(column) for column in columns])


def marks_of(times: Sequence[float], axis: Axis) -> list[Mark]:
    """Mark times, numbered from 1; those too close together share one mark, at the first's place.

    Args:
        times: in order.
        axis: they lie on.
    """
    marks: list[Mark] = []
    for number, time in enumerate(times, start=1):
        x = axis.x(time)
        if marks and x - marks[-1].x < _MARK_WIDTH:
            marks[-1] = Mark(marks[-1].x, (*marks[-1].numbers, number))
        else:
            marks.append(Mark(x, (number,)))
    return marks


def _outline(columns: Sequence[Column], floors: Sequence[float], tops: Sequence[float]) -> str:
    """Return an SVG path in steps; it is broken where there are no faces or no frames."""
    rows = list(zip(columns, floors, tops, strict=True))
    parts = []
    for stretch in _stretches(rows):
        there = " ".join(f"{c.left:g},{_y(top)} {c.right:g},{_y(top)}" for c, _, top in stretch)
        back = " ".join(
            f"{c.right:g},{_y(floor)} {c.left:g},{_y(floor)}" for c, floor, _ in reversed(stretch)
        )
        parts.append(f"M{there} {back}Z")
    return "".join(parts)


def _stretches(rows: Sequence[_Step]) -> list[list[_Step]]:
    """Return the steps with faces, those that follow each other without a gap together."""
    stretches: list[list[_Step]] = []
    for row in rows:
        if row[0].shares is None:
            continue
        if stretches and stretches[-1][-1][0].right == row[0].left:
            stretches[-1].append(row)
        else:
            stretches.append([row])
    return stretches


def _y(share: float) -> str:
    return f"{HEIGHT * (1 - min(share, 1.0)):.4g}"


def runs_of(moments: Sequence[FaceMoment], axis: Axis) -> list[Run]:
    """Join a face's moments into stretches of one emotion, at most 240, in order of time."""
    seconds = max(axis.interval, axis.duration / _LANE_COLUMNS)
    runs: list[Run] = []
    for _, group in groupby(moments, key=lambda moment: int(moment.time / seconds + 1e-6)):
        members = list(group)
        emotion = Counter(moment.emotion for moment in members).most_common(1)[0][0]
        start, stop = members[0].time, axis.stops[members[-1].time]
        if runs and runs[-1].emotion is emotion and start - runs[-1].stop < seconds / 2:
            runs[-1] = Run(emotion, runs[-1].start, stop)
        else:
            runs.append(Run(emotion, start, stop))
    return runs

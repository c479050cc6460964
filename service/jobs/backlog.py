"""How much video is to be looked at: what workers are to be added for.

How long a video is shows when its work begins, and not before: whoever takes it in looks at its
first bytes alone. Until then its bytes are what is known, and how long videos were for theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, select

from service.database.connection import Database
from service.database.tables import jobs
from service.jobs.job import ACTIVE, Kind, State
from service.present import VideoSeconds

_LATELY = 100  # Videos done.
# Before any was: H.264 at 720p and 30 frames a second as it is mostly sent, 5 Mbit/s
# (support.google.com/youtube/answer/1722171), and a minute of it.
_USUAL_RATE = 8 / 5e6
_USUAL_SECONDS = 60.0

_SEGMENT = jobs.c.settings["segment_seconds"].as_float()
_IS_BEGUN = jobs.c.segments_total.is_not(None)


@dataclass(frozen=True, slots=True)
class _Usual:
    """How long videos are: ``rate`` in seconds a byte, ``seconds`` each."""

    rate: float
    seconds: float


class Backlog:
    """The method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, database: Database) -> None:
        """Look at a database whose tables are up to date."""
        self._database = database

    def video_seconds(self) -> Mapping[State, VideoSeconds]:
        """Return how many seconds of video wait, and how many are left of those in work."""
        left = (jobs.c.segments_total - jobs.c.segments_done) * _SEGMENT
        is_sized = jobs.c.size.is_not(None)
        query = (
            select(
                jobs.c.state,
                _sum(case((_IS_BEGUN, left))),
                _sum(case((~_IS_BEGUN & is_sized, jobs.c.size))),
                _sum(case((~_IS_BEGUN & ~is_sized, 1))),
            )
            .where(jobs.c.kind == Kind.VIDEO, jobs.c.state.in_(ACTIVE))
            .group_by(jobs.c.state)
        )
        with self._database.begin() as connection:
            usual = _usual(connection)
            found = {
                State(state): VideoSeconds(
                    float(planned), float(size) * usual.rate, unknown * usual.seconds
                )
                for state, planned, size, unknown in connection.execute(query)
            }
        return {state: found.get(state, VideoSeconds()) for state in ACTIVE}


def _usual(connection: Connection) -> _Usual:
    """Return how long videos were that were done lately, to within half a segment each."""
    done = (
        select(jobs.c.size, (jobs.c.segments_total * _SEGMENT).label("seconds"))
        .where(jobs.c.kind == Kind.VIDEO, jobs.c.state == State.DONE, _IS_BEGUN)
        .order_by(jobs.c.begun_at.desc())
        .limit(_LATELY)
        .subquery()
    )
    size, seconds, count = connection.execute(
        select(_sum(done.c.size), _sum(done.c.seconds), func.count())
    ).one()
    if not count or not size or not seconds:
        return _Usual(_USUAL_RATE, _USUAL_SECONDS)
    return _Usual(seconds / float(size), seconds / count)


def _sum(column: ColumnElement[float]) -> ColumnElement[float]:
    """Return the sum; 0 of nothing."""
    return func.coalesce(func.sum(column), 0)

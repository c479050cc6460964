"""How much video is to be looked at, by real rows."""

import pytest
from sqlalchemy import update

from service.database.connection import Database
from service.database.tables import jobs
from service.jobs.backlog import Backlog
from service.jobs.claims import Claims
from service.jobs.job import LOCAL, Kind, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.present import VideoSeconds

MEGABYTE = 10**6


@pytest.fixture
def database(folder: OpenedFolder) -> Database:
    return folder.database


@pytest.fixture
def backlog(database: Database) -> Backlog:
    return Backlog(database)


def send(ledger: Ledger, job_id: str, size: int | None, kind: Kind = Kind.VIDEO) -> None:
    """Queue a job in segments of 30 s; without a size it lies elsewhere."""
    elsewhere = {"uri": "s3://b/a.mp4", "state": State.QUEUED} if size is None else {}
    settings = {"segment_seconds": 30.0}
    job = ledger.reserve(
        LOCAL, kind, id=job_id, name=None, settings=settings, idempotency_key=None, **elsewhere
    )
    if size is not None:
        ledger.received(job, size, "ab" * 32)


def finish(ledger: Ledger, claims: Claims, job_id: str, size: int, segments: int) -> None:
    send(ledger, job_id, size)
    claim = claims.claim(job_id)
    claims.plan(claim, segments)
    claims.finish(claim)


def test_without_videos_there_is_nothing(backlog: Backlog) -> None:
    nothing = VideoSeconds()
    assert backlog.video_seconds() == {State.QUEUED: nothing, State.RUNNING: nothing}


def test_before_any_was_done_a_video_is_as_long_as_videos_mostly_are(
    backlog: Backlog, ledger: Ledger
) -> None:
    send(ledger, "a", 10 * MEGABYTE)
    send(ledger, "b", None)
    queued = backlog.video_seconds()[State.QUEUED]
    assert (queued.planned, round(queued.by_size, 6), queued.guessed) == (0.0, 16.0, 60.0)


def test_later_it_is_as_long_as_those_for_their_bytes(
    backlog: Backlog, ledger: Ledger, claims: Claims
) -> None:
    finish(ledger, claims, "a", 10 * MEGABYTE, segments=2)
    finish(ledger, claims, "b", 20 * MEGABYTE, segments=4)
    send(ledger, "c", 5 * MEGABYTE)
    send(ledger, "d", None)
    queued = backlog.video_seconds()[State.QUEUED]
    assert (queued.planned, round(queued.by_size, 6), queued.guessed) == (0.0, 30.0, 90.0)


def test_of_what_was_begun_the_segments_are_counted_that_are_left(
    backlog: Backlog, ledger: Ledger, claims: Claims
) -> None:
    send(ledger, "a", MEGABYTE)
    claim = claims.claim("a")
    claims.plan(claim, 10)
    claims.store(claim, 0, b"", 1.0)
    assert backlog.video_seconds()[State.RUNNING] == VideoSeconds(planned=270.0)
    claims.hand_back(claim)
    assert backlog.video_seconds()[State.QUEUED] == VideoSeconds(planned=270.0)


def test_photos_and_what_has_ended_are_left_out(
    backlog: Backlog, ledger: Ledger, claims: Claims, database: Database
) -> None:
    send(ledger, "a", MEGABYTE, Kind.PHOTOS)
    finish(ledger, claims, "b", MEGABYTE, segments=1)
    send(ledger, "c", MEGABYTE)
    ledger.cancel(LOCAL, Kind.VIDEO, "c")
    with database.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == "b").values(size=None))
    nothing = VideoSeconds()
    assert backlog.video_seconds() == {State.QUEUED: nothing, State.RUNNING: nothing}

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import Connection

from emotion.faces import ModelVersion
from service.database.connection import Database
from service.jobs.claims import Claim, ClaimLost, Claims
from service.jobs.job import LOCAL, Kind, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.storage_errors import StorageUnavailable
from tests.service.jobs.conftest import MakeVideo

MODEL = ModelVersion("emotion_classifier", "1")


@pytest.fixture
def claim(claims: Claims, queued: MakeVideo) -> Claim:
    queued("a")
    return claims.claim("a")


def test_who_claims_a_job_raises_its_fence(claims: Claims, claim: Claim) -> None:
    assert (claim.job.state, claim.job.fence, claim.attempts) == (State.RUNNING, 1, 1)
    again = claims.claim("a")
    assert (again.job.fence, again.attempts) == (2, 2)


def test_what_is_not_waiting_cant_be_claimed(
    ledger: Ledger, claims: Claims, queued: MakeVideo
) -> None:
    queued("a")
    ledger.cancel(LOCAL, Kind.VIDEO, "a")
    for job_id in ("a", "b"):
        with pytest.raises(ClaimLost):
            claims.claim(job_id)


def test_progress_grows_with_each_segment_and_says_what_is_left(
    ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    assert claims.plan(claim, 4) == set()
    claims.store(claim, 0, b"zero", 2.0)
    claims.store(claim, 2, b"two", 4.0)
    job = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (job.progress, job.seconds_left, job.segments_done) == (0.5, 6.0, 2)
    assert claims.payloads(claim) == [b"zero", b"two"]
    assert claims.plan(claims.claim("a"), 4) == {0, 2}


def test_a_segment_done_forgets_earlier_attempts(claims: Claims, claim: Claim) -> None:
    again = claims.claim("a")
    claims.store(again, 0, b"zero", 1.0)
    assert claims.claim("a").attempts == 1


def test_nothing_is_written_by_who_has_lost_its_claim(
    folder: OpenedFolder, ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    newer = Claims(folder.database, "worker-2").claim("a")
    before = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert not claims.holds(claim)
    for write in (
        lambda: claims.pin(claim, MODEL),
        lambda: claims.plan(claim, 7),
        lambda: claims.store(claim, 0, b"zero", 1.0),
        lambda: claims.finish(claim),
        lambda: claims.fail(claim, "late"),
    ):
        with pytest.raises(ClaimLost):
            write()
    assert ledger.get(LOCAL, Kind.VIDEO, "a") == before
    assert claims.payloads(newer) == []
    assert claims.holds(newer)


@pytest.mark.parametrize("end", ["cancel", "delete"])
def test_a_job_that_its_owner_ended_is_lost(
    ledger: Ledger, claims: Claims, claim: Claim, end: str
) -> None:
    if end == "cancel":
        ledger.cancel(LOCAL, Kind.VIDEO, "a")
    else:
        ledger.mark_deleting(claim.job)
    assert not claims.holds(claim)
    with pytest.raises(ClaimLost):
        claims.finish(claim)


def test_a_report_that_stands_ends_the_job_and_its_segments(
    ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    claims.pin(claim, MODEL)
    claims.plan(claim, 1)
    claims.store(claim, 0, b"zero", 1.0)
    claims.finish(claim)
    job = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (job.state, job.report_fence, job.model) == (State.DONE, 1, MODEL)
    assert (job.progress, job.seconds_left) == (1.0, None)
    assert claims.payloads(claim) == []
    assert job.ended_at is not None


def test_a_failure_says_why(ledger: Ledger, claims: Claims, claim: Claim) -> None:
    claims.fail(claim, "The job is damaged." + "." * 2000)
    job = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (job.state, job.report_fence) == (State.FAILED, None)
    assert job.error is not None
    assert job.error.startswith("The job is damaged.")
    assert len(job.error) == 1024


class LosingAnswers(Database):
    """A database whose answer to the next commit is lost, as where a server ends just then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.loses = True

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self._database.begin() as connection:
            yield connection
        if self.loses:
            self.loses = False
            raise StorageUnavailable("The line was cut.")


def twice(write: Callable[[], None]) -> None:
    """Write, be told that it failed, and write again."""
    with pytest.raises(StorageUnavailable):
        write()
    write()


def test_a_segment_whose_writing_was_not_confirmed_is_written_again_and_kept_once(
    folder: OpenedFolder, ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    claims.plan(claim, 2)
    unsure = Claims(LosingAnswers(folder.database), "worker-1")
    twice(lambda: unsure.store(claim, 0, b"zero", 2.0))
    job = ledger.get(LOCAL, Kind.VIDEO, "a")
    assert (job.segments_done, job.worked_seconds) == (1, 2.0)
    assert claims.payloads(claim) == [b"zero"]


def test_an_end_that_was_not_confirmed_is_written_again_and_is_no_loss_of_the_job(
    folder: OpenedFolder, ledger: Ledger, queued: MakeVideo, claims: Claims, claim: Claim
) -> None:
    queued("b")
    other = claims.claim("b")
    twice(partial(Claims(LosingAnswers(folder.database), "worker-1").finish, claim))
    twice(partial(Claims(LosingAnswers(folder.database), "worker-1").fail, other, "It is bad."))
    done, failed = (ledger.get(LOCAL, Kind.VIDEO, job_id) for job_id in "ab")
    assert (done.state, done.report_fence) == (State.DONE, 1)
    assert (failed.state, failed.error) == (State.FAILED, "It is bad.")


def test_an_end_by_another_is_a_loss_of_the_job(
    ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    claims.finish(claims.claim("a"))
    with pytest.raises(ClaimLost):
        claims.finish(claim)
    assert ledger.get(LOCAL, Kind.VIDEO, "a").report_fence == 2

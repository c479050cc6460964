import pytest

from emotion.faces import ModelVersion
from service.jobs.claims import Claim, ClaimLost, Claims
from service.jobs.job import LOCAL, Kind, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
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

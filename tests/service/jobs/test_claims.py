import pytest

from emotion.faces import ModelVersion
from service.jobs.claims import Claim, ClaimLost, Claims
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.jobs.videos import LOCAL, State
from tests.service.jobs.conftest import MakeVideo

MODEL = ModelVersion("emotion_classifier", "1")


@pytest.fixture
def claim(claims: Claims, queued: MakeVideo) -> Claim:
    queued("a")
    return claims.claim("a")


def test_who_claims_a_video_raises_its_fence(claims: Claims, claim: Claim) -> None:
    assert (claim.video.state, claim.video.fence, claim.attempts) == (State.RUNNING, 1, 1)
    again = claims.claim("a")
    assert (again.video.fence, again.attempts) == (2, 2)


def test_what_is_not_waiting_cant_be_claimed(
    ledger: Ledger, claims: Claims, queued: MakeVideo
) -> None:
    queued("a")
    ledger.cancel(LOCAL, "a")
    for video_id in ("a", "b"):
        with pytest.raises(ClaimLost):
            claims.claim(video_id)


def test_progress_grows_with_each_segment_and_says_what_is_left(
    ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    assert claims.plan(claim, 4) == set()
    claims.store(claim, 0, b"zero", 2.0)
    claims.store(claim, 2, b"two", 4.0)
    video = ledger.get(LOCAL, "a")
    assert (video.progress, video.seconds_left, video.segments_done) == (0.5, 6.0, 2)
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
    before = ledger.get(LOCAL, "a")
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
    assert ledger.get(LOCAL, "a") == before
    assert claims.payloads(newer) == []
    assert claims.holds(newer)


@pytest.mark.parametrize("end", ["cancel", "delete"])
def test_a_video_that_its_owner_ended_is_lost(
    ledger: Ledger, claims: Claims, claim: Claim, end: str
) -> None:
    if end == "cancel":
        ledger.cancel(LOCAL, "a")
    else:
        ledger.mark_deleting(claim.video)
    assert not claims.holds(claim)
    with pytest.raises(ClaimLost):
        claims.finish(claim)


def test_a_report_that_stands_ends_the_video_and_its_segments(
    ledger: Ledger, claims: Claims, claim: Claim
) -> None:
    claims.pin(claim, MODEL)
    claims.plan(claim, 1)
    claims.store(claim, 0, b"zero", 1.0)
    claims.finish(claim)
    video = ledger.get(LOCAL, "a")
    assert (video.state, video.report_fence, video.model) == (State.DONE, 1, MODEL)
    assert (video.progress, video.seconds_left) == (1.0, None)
    assert claims.payloads(claim) == []
    assert video.ended_at is not None


def test_a_failure_says_why(ledger: Ledger, claims: Claims, claim: Claim) -> None:
    claims.fail(claim, "The video is damaged." + "." * 2000)
    video = ledger.get(LOCAL, "a")
    assert (video.state, video.report_fence) == (State.FAILED, None)
    assert video.error is not None
    assert video.error.startswith("The video is damaged.")
    assert len(video.error) == 1024

from dataclasses import replace

import pytest

from emotion.errors import ContractMismatch
from emotion.faces import ModelVersion
from emotion.labels import EMOTIONS, Emotion
from emotion.reports.formats import FORMATS, render
from emotion.video.assembly import assemble
from emotion.video.observations import SegmentResult
from emotion.video.report import Confidence, Report
from emotion.video.settings import VideoSettings
from tests.emotion.video.observed import INFO, MODEL, face_at, frames_of_faces, result_of

HAPPY, NEUTRAL = EMOTIONS.index(Emotion.HAPPY), EMOTIONS.index(Emotion.NEUTRAL)


def report_of(*results: SegmentResult, seed: str = "job-1") -> Report:
    return assemble(INFO, results, VideoSettings(), MODEL, "face_detector 1", seed)


def two_faces() -> list[SegmentResult]:
    """One is neutral; one is happy, and seen in the second half only."""
    one, other = face_at(100), face_at(400, emotion=Emotion.HAPPY)
    frames = frames_of_faces([[one]] * 4 + [[one, other]] * 4)
    return [result_of(frames[:4], skipped=1), result_of(frames[4:], index=1, skipped=2)]


def test_faces_are_summed_up_in_the_order_of_their_appearance() -> None:
    neutral, happy = report_of(*two_faces()).faces
    assert (neutral.emotion, happy.emotion) == (Emotion.NEUTRAL, Emotion.HAPPY)
    assert (neutral.first_seen, neutral.last_seen, len(neutral.moments)) == (0.0, 3.5, 8)
    assert (happy.first_seen, happy.last_seen, len(happy.moments)) == (2.0, 3.5, 4)
    assert happy.shares[HAPPY] == 1.0
    assert happy.confidence == Confidence(*[pytest.approx(0.94)] * 3)  # type: ignore[arg-type]  # stands for a number
    assert happy.engagement.facing == 1.0
    assert happy.engagement.expressive == pytest.approx(0.99)


def test_the_audience_is_summed_up_over_time() -> None:
    audience = report_of(*two_faces()).audience
    assert [moment.faces for moment in audience.moments] == [1, 1, 1, 1, 2, 2, 2, 2]
    assert audience.most_at_once == 2
    assert audience.moments[0].shares[NEUTRAL] == 1.0
    assert (audience.moments[7].shares[NEUTRAL], audience.moments[7].shares[HAPPY]) == (0.5, 0.5)
    assert (audience.shares[NEUTRAL], audience.shares[HAPPY]) == (8 / 12, 4 / 12)


def test_nobody_is_followed_over_a_time_in_which_nothing_could_be_looked_at() -> None:
    """Who sits there after ten damaged minutes may be somebody else."""
    before = frames_of_faces([[face_at(100)]] * 8)
    after = [replace(frame, time=frame.time + 600) for frame in before]
    report = report_of(result_of(before), result_of(after, index=1, skipped=15000))
    assert [(face.first_seen, face.last_seen) for face in report.faces] == [
        (0.0, 3.5),
        (600.0, 603.5),
    ]


def test_segments_come_in_any_order() -> None:
    assert report_of(*reversed(two_faces())) == report_of(*two_faces())


def test_segments_of_any_number_give_equal_files() -> None:
    whole = frames_of_faces([[face_at(100 + 9 * step)] for step in range(14)])
    parts = [result_of(whole[2 * n : 2 * n + 2], index=n) for n in range(7)]
    one, seven = report_of(result_of(whole, cuts=[2.2])), report_of(
        *[result_of(part.frames, index=part.index, cuts=[2.2] if part.index == 2 else [])
          for part in parts]
    )  # fmt: skip
    for form in FORMATS:
        assert render(one, form) == render(seven, form)


def test_what_was_skipped_is_added_up() -> None:
    assert report_of(*two_faces()).skipped == 3


def test_ids_belong_to_the_job() -> None:
    def ids(seed: str) -> list[str]:
        return [face.id for face in report_of(*two_faces(), seed=seed).faces]

    assert ids("a") == ids("a")
    assert not set(ids("a")) & set(ids("b"))
    assert len(set(ids("a"))) == 2
    assert all(len(one) == 13 and one.startswith("f") for one in ids("a"))


def test_a_segment_of_another_model_is_refused() -> None:
    other = ModelVersion(MODEL.name, "fake-2")
    with pytest.raises(ContractMismatch, match="judged by fake-2, not by fake-1 alone"):
        report_of(result_of(()), result_of((), index=1, model=other))


def test_a_video_without_faces_has_a_report() -> None:
    report = report_of(result_of(frames_of_faces([[], [], []])))
    assert (report.faces, report.key_moments) == ((), ())
    assert (report.audience.confidence, report.audience.engagement) == (None, None)
    assert [moment.faces for moment in report.audience.moments] == [0, 0, 0]


def test_faces_that_were_none_are_left_out() -> None:
    frames = frames_of_faces([[face_at(100, score=0.7)], [], [face_at(300, score=0.4)]])
    report = report_of(result_of(frames))
    assert report.faces == ()
    assert report.audience.most_at_once == 0

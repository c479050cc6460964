from emotion.labels import EMOTIONS, Emotion
from emotion.photo_set.report import sum_up
from emotion.video.report import Confidence
from tests.emotion.photo_set.sets import MODEL, PARTY, failed, photo


def test_photos_faces_and_failures_are_counted() -> None:
    report = sum_up(PARTY, MODEL, "detector")
    assert (len(report.photos), report.with_faces, report.faces) == (4, 2, 3)
    assert [name for name, _ in report.failed] == ["b.jpg"]


def test_shares_are_of_all_faces() -> None:
    shares = dict(zip(EMOTIONS, sum_up(PARTY, MODEL, "detector").shares, strict=True))
    assert {emotion: share for emotion, share in shares.items() if share} == {
        Emotion.HAPPY: 2 / 3,
        Emotion.SAD: 1 / 3,
    }


def test_confidence_is_of_all_faces() -> None:
    confidence = sum_up(PARTY, MODEL, "detector").confidence
    assert confidence == Confidence(0.5, (0.9 + 0.5 + 0.7) / 3, 0.7)


def test_where_there_is_no_face_there_is_no_confidence() -> None:
    report = sum_up([photo("a.jpg"), failed("b.jpg")], MODEL, "detector")
    assert (report.confidence, sum(report.shares), report.faces) == (None, 0.0, 0)

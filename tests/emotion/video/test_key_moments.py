from collections.abc import Sequence
from dataclasses import replace

from emotion.labels import EMOTIONS, Emotion
from emotion.video.engagement import Engagement
from emotion.video.key_moments import MOST_MOMENTS, key_moments
from emotion.video.report import Audience, AudienceMoment, KeyMoment


def audience(*rows: tuple[int, Emotion, float], seconds: float = 2.0) -> Audience:
    """Return an audience that all shows one emotion: faces, which, and engagement, a row 2 s."""
    moments = [
        AudienceMoment(
            round(row * 2.0 + step * 0.5, 3),
            faces,
            tuple(float(one is emotion) for one in EMOTIONS) if faces else (0.0,) * 7,
            Engagement(engagement, engagement) if faces else None,
        )
        for row, (faces, emotion, engagement) in enumerate(rows)
        for step in range(int(seconds / 0.5))
    ]
    return Audience(tuple(moments), _shares(moments), None, _engagement(moments))


def _shares(moments: Sequence[AudienceMoment]) -> tuple[float, ...]:
    total = max(1, sum(moment.faces for moment in moments))
    return tuple(
        sum(moment.faces * moment.shares[row] for moment in moments) / total for row in range(7)
    )


def _engagement(moments: Sequence[AudienceMoment]) -> Engagement | None:
    total = sum(moment.faces for moment in moments)
    if not total:
        return None
    index = sum(one.faces * one.engagement.index for one in moments if one.engagement) / total
    return Engagement(index, index)


CALM, GLAD, LOW = (3, Emotion.NEUTRAL, 0.5), (3, Emotion.HAPPY, 0.5), (3, Emotion.SAD, 0.5)


def test_an_audience_that_stays_the_same_has_no_key_moment() -> None:
    assert key_moments(audience(CALM, CALM, CALM), 0.5) == ()


def test_an_emotions_peak_is_a_key_moment() -> None:
    assert key_moments(audience(CALM, CALM, GLAD, CALM), 0.5)[0] == KeyMoment(
        4.0, "peak", "Most happy: 100% of 3 faces."
    )


def test_a_single_face_is_no_percentage() -> None:
    one = (1, Emotion.HAPPY, 0.5)
    (moment,) = key_moments(audience((1, Emotion.NEUTRAL, 0.5), one), 0.5)
    assert moment == KeyMoment(2.0, "peak", "Most happy: one face in view.")


def test_a_change_is_told_where_no_peak_tells_it() -> None:
    found = key_moments(audience(GLAD, GLAD, LOW, LOW, CALM, CALM), 0.5)
    assert KeyMoment(8.0, "change", "From mostly sad to mostly neutral.") in found
    assert [moment.time for moment in found] == sorted(moment.time for moment in found)


def test_most_engaged_and_most_faces_are_told() -> None:
    found = key_moments(audience(CALM, (5, Emotion.NEUTRAL, 0.5), (3, Emotion.NEUTRAL, 0.9)), 0.5)
    assert found == (
        KeyMoment(2.0, "fullest", "Most faces: 5 faces."),
        KeyMoment(4.0, "engaged", "Most engaged: an index of 0.90, against 0.61 on average."),
    )


def test_most_engaged_is_set_against_the_average_that_the_audience_has() -> None:
    shown = audience((9, Emotion.NEUTRAL, 0.5), (1, Emotion.NEUTRAL, 0.9))
    assert shown.engagement is not None
    assert round(shown.engagement.index, 2) == 0.54
    assert KeyMoment(
        2.0, "engaged", "Most engaged: an index of 0.90, against 0.54 on average."
    ) in key_moments(shown, 0.5)


def test_most_faces_are_as_many_as_are_ever_seen_at_once() -> None:
    shown = audience(CALM, (6, Emotion.NEUTRAL, 0.5))
    moments = (*shown.moments[:-1], replace(shown.moments[-1], faces=7))
    (moment,) = key_moments(replace(shown, moments=moments), 0.5)
    assert moment == KeyMoment(2.0, "fullest", "Most faces: 7 faces.")


def test_there_are_not_too_many() -> None:
    rows = [(CALM, GLAD, LOW)[step % 3] for step in range(60)]
    assert len(key_moments(audience(*rows), 0.5)) == MOST_MOMENTS


def test_times_without_faces_are_passed_over() -> None:
    nobody = (0, Emotion.NEUTRAL, 0.0)
    assert key_moments(audience(nobody, nobody), 0.5) == ()
    assert [one.kind for one in key_moments(audience(CALM, nobody, GLAD), 0.5)] == ["peak"]

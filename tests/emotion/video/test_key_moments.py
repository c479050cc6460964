from collections.abc import Sequence

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
        4.0, "peak", "Most happy: all 3 faces."
    )


def test_a_single_face_is_no_percentage() -> None:
    one = (1, Emotion.HAPPY, 0.5)
    (moment,) = key_moments(audience((1, Emotion.NEUTRAL, 0.5), one), 0.5)
    assert moment == KeyMoment(2.0, "peak", "Most happy: the one face in view.")


def test_a_change_is_told_where_no_peak_tells_it() -> None:
    found = key_moments(audience(GLAD, GLAD, LOW, LOW, CALM, CALM), 0.5)
    assert KeyMoment(8.0, "change", "From mostly sad to mostly neutral.") in found
    assert [moment.time for moment in found] == sorted(moment.time for moment in found)


def test_most_engaged_and_most_faces_are_told() -> None:
    found = key_moments(audience(CALM, (5, Emotion.NEUTRAL, 0.5), (3, Emotion.NEUTRAL, 0.9)), 0.5)
    assert found == (
        KeyMoment(2.0, "fullest", "Most faces: 5."),
        KeyMoment(4.0, "engaged", "Most engaged: an index of 0.90, against 0.61 on average."),
    )


def test_most_engaged_is_set_against_the_average_that_the_audience_has() -> None:
    shown = audience((6, Emotion.NEUTRAL, 0.5), (2, Emotion.NEUTRAL, 0.9))
    assert shown.engagement is not None
    assert round(shown.engagement.index, 2) == 0.6
    assert KeyMoment(
        2.0, "engaged", "Most engaged: an index of 0.90, against 0.60 on average."
    ) in key_moments(shown, 0.5)


def test_one_look_at_one_face_outdoes_no_crowd() -> None:
    """Fifty laugh; then somebody walks by, and looks into the camera."""
    crowd = audience(*[(50, Emotion.NEUTRAL, 0.5)] * 3, (50, Emotion.HAPPY, 0.7))
    one = audience(*[(0, Emotion.NEUTRAL, 0.0)] * 4, (1, Emotion.HAPPY, 1.0)).moments[16:17]
    shown = Audience((*crowd.moments, *one), crowd.shares, None, crowd.engagement)
    told = key_moments(shown, 0.5)
    assert KeyMoment(6.0, "peak", "Most happy: all 50 faces.") in told
    assert [moment.time for moment in told if moment.kind == "engaged"] == [6.0]


def test_no_change_is_told_across_a_time_without_faces() -> None:
    """Others may have come."""
    nobody = (0, Emotion.NEUTRAL, 0.0)
    found = key_moments(audience(GLAD, GLAD, nobody, LOW, LOW, CALM), 0.5)
    assert [moment.text for moment in found if moment.kind == "change"] == [
        "From mostly sad to mostly neutral."
    ]


def at(time: float, **faces: int) -> AudienceMoment:
    """Return a moment in which so many faces show each emotion; the index is their share."""
    total = sum(faces.values())
    shares = tuple(faces.get(one, 0) / total if total else 0.0 for one in EMOTIONS)
    index = (total - faces.get("neutral", 0)) / total if total else 0.0
    return AudienceMoment(time, total, shares, Engagement(index, index) if total else None)


def of(*moments: AudienceMoment) -> Audience:
    return Audience(moments, _shares(moments), None, _engagement(moments))


def test_most_faces_are_told_where_they_are_seen() -> None:
    shown = of(at(0.0, sad=6), at(0.52, sad=7), at(1.0, sad=7), at(2.0, sad=4))
    assert key_moments(shown, 0.5) == (KeyMoment(0.52, "fullest", "Most faces: 7."),)


def test_most_faces_are_told_where_they_are_seen_first() -> None:
    shown = of(at(0.0, sad=3), at(1.5, sad=5), at(2.0, sad=5), at(2.5, sad=5))
    assert key_moments(shown, 0.5) == (KeyMoment(1.5, "fullest", "Most faces: 5."),)


def test_a_peak_is_told_where_it_shows() -> None:
    (one, other) = key_moments(
        of(at(0.0, happy=1), at(6.016, happy=1), at(6.516, fear=1), at(7.016, fear=1)), 0.5
    )
    assert one == KeyMoment(0.0, "peak", "Most happy: the one face in view.")
    assert other == KeyMoment(6.516, "peak", "Most fear: the one face in view.")


def test_a_peak_is_told_by_the_faces_that_show_it_there() -> None:
    shown = of(at(0.0, neutral=5), at(8.0, neutral=2, sad=3), at(8.5, sad=4, angry=1), at(9, sad=2))
    assert KeyMoment(9, "peak", "Most sad: both faces.") in key_moments(shown, 0.5)
    shown = of(*shown.moments[:-1])
    assert KeyMoment(8.5, "peak", "Most sad: 4 of 5 faces.") in key_moments(shown, 0.5)


def test_most_engaged_is_told_with_the_index_that_stands_there() -> None:
    shown = of(at(0.0, neutral=4), at(2.0, neutral=3, sad=1), at(2.5, neutral=2, sad=2))
    assert key_moments(shown, 0.5)[0] == KeyMoment(
        2.5, "engaged", "Most engaged: an index of 0.50, against 0.25 on average."
    )


def test_a_change_is_told_where_the_audience_turns() -> None:
    """It may do so before the window ends in which it mostly shows the former."""
    shown = of(
        *[at(time, happy=9) for time in (0.0, 0.5, 1.0, 1.5)],
        *[at(time, happy=4, sad=1) for time in (2.0, 2.5, 3.0)], at(3.5, neutral=4, sad=1),
        *[at(time, neutral=4, sad=1) for time in (4.0, 4.5, 5.0, 5.5)],
    )  # fmt: skip
    changes = [moment for moment in key_moments(shown, 0.5) if moment.kind == "change"]
    assert changes == [KeyMoment(3.5, "change", "From mostly happy to mostly neutral.")]


def test_a_change_is_told_from_what_came_just_before() -> None:
    shown = of(
        *[at(time, happy=2) for time in (0.0, 0.5, 1.0)], at(1.5, sad=2),
        *[at(2.0 + time, neutral=2) for time in (0.0, 0.5, 1.0)],
    )  # fmt: skip
    assert KeyMoment(2.0, "change", "From mostly sad to mostly neutral.") in key_moments(shown, 0.5)


def test_what_no_moment_shows_is_no_change() -> None:
    shown = of(at(0.0, sad=5), at(2.0, happy=3, neutral=2), at(2.5, fear=3, neutral=2))
    assert "change" not in [moment.kind for moment in key_moments(shown, 0.5)]


def test_there_are_not_too_many() -> None:
    rows = [(CALM, GLAD, LOW)[step % 3] for step in range(60)]
    assert len(key_moments(audience(*rows), 0.5)) == MOST_MOMENTS


def test_times_without_faces_are_passed_over() -> None:
    nobody = (0, Emotion.NEUTRAL, 0.0)
    assert key_moments(audience(nobody, nobody), 0.5) == ()
    assert [one.kind for one in key_moments(audience(CALM, nobody, GLAD), 0.5)] == ["peak"]

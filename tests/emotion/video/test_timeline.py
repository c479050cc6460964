import math

import numpy as np
import pytest

from emotion.labels import EMOTIONS, Emotion
from emotion.video.timeline import dominant, smoothed
from tests.emotion.video.observed import sure_of

HAPPY, SAD, NEUTRAL = (EMOTIONS.index(one) for one in (Emotion.HAPPY, Emotion.SAD, Emotion.NEUTRAL))


def shares(*rows: tuple[float, float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return probabilities of which happy, sad and neutral are told."""
    table = np.zeros((len(rows), len(EMOTIONS)))
    table[:, [HAPPY, SAD, NEUTRAL]] = rows
    return table


def times(count: int, interval: float = 0.5) -> list[float]:
    return [step * interval for step in range(count)]


def test_after_a_second_a_change_has_come_through_by_63_percent() -> None:
    rows = np.array([sure_of(Emotion.NEUTRAL, 1.0)] + [sure_of(Emotion.HAPPY, 1.0)] * 10)
    steady = smoothed(times(11, 0.1), rows)
    assert steady[10, HAPPY] == pytest.approx(1 - math.exp(-1))


def test_smoothing_does_not_depend_on_how_often_one_looks() -> None:
    rows = np.array([sure_of(Emotion.NEUTRAL, 1.0)] + [sure_of(Emotion.HAPPY, 1.0)] * 2)
    fine = np.array([sure_of(Emotion.NEUTRAL, 1.0)] + [sure_of(Emotion.HAPPY, 1.0)] * 20)
    assert smoothed(times(3), rows)[2] == pytest.approx(smoothed(times(21, 0.05), fine)[20])


def test_smoothed_shares_still_add_up() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(7), 20)
    assert smoothed(times(20), rows).sum(axis=1) == pytest.approx(np.ones(20))


def test_a_long_absence_forgets_what_was_before() -> None:
    rows = np.array([sure_of(Emotion.NEUTRAL, 1.0), sure_of(Emotion.HAPPY, 1.0)])
    assert smoothed([0.0, 20.0], rows)[1, HAPPY] == pytest.approx(1.0)


def test_the_largest_share_is_told_first() -> None:
    assert dominant([0.0], shares((0.5, 0.2, 0.3)), 0.5) == [Emotion.HAPPY]


def test_a_narrow_lead_changes_nothing() -> None:
    told = dominant(times(3), shares((0.5, 0.1, 0.4), (0.42, 0.1, 0.48), (0.4, 0.11, 0.49)), 0.5)
    assert told == [Emotion.HAPPY] * 3


def test_a_clear_lead_for_half_a_second_changes_what_is_told() -> None:
    rows = shares((0.5, 0.1, 0.4), (0.3, 0.1, 0.6), (0.3, 0.1, 0.6))
    assert dominant(times(3), rows, 0.5) == [Emotion.HAPPY, Emotion.NEUTRAL, Emotion.NEUTRAL]


def test_a_clear_lead_for_less_changes_nothing() -> None:
    lead, back = (0.3, 0.1, 0.6), (0.5, 0.1, 0.4)
    rows = shares(back, lead, lead, lead, lead, back, lead)
    assert dominant(times(7, 0.1), rows, 0.1) == [Emotion.HAPPY] * 7
    assert dominant(times(7, 0.1), shares(back, *[lead] * 6), 0.1)[4:] == [
        Emotion.HAPPY, Emotion.NEUTRAL, Emotion.NEUTRAL,
    ]  # fmt: skip


def test_challengers_that_take_turns_change_nothing() -> None:
    sad, neutral = (0.2, 0.6, 0.2), (0.2, 0.2, 0.6)
    rows = shares((0.6, 0.2, 0.2), *[sad, neutral] * 5)
    assert set(dominant(times(11, 0.1), rows, 0.1)) == {Emotion.HAPPY}

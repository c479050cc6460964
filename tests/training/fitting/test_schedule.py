from itertools import pairwise

import pytest

from training.fitting.schedule import learning_rate_at
from training.recipe import Recipe, Stage

RECIPE = Recipe(stages=(Stage(epochs=10, size=48),), learning_rate=0.2, warmup_epochs=2)


def test_very_first_step_moves() -> None:
    assert 0 < learning_rate_at(RECIPE, 0) < 0.01


def test_warm_up_climbs_in_a_straight_line() -> None:
    rates = [learning_rate_at(RECIPE, epoch) for epoch in (0.0, 0.5, 1.0, 1.5)]
    steps = [after - before for before, after in pairwise(rates)]
    assert steps == pytest.approx([steps[0]] * 3)


@pytest.mark.parametrize(("epoch", "rate"), [(2, 0.2), (6, 0.1), (10, 0.0), (12, 0.0)])
def test_cosine_falls_from_the_peak_to_zero(epoch: float, rate: float) -> None:
    assert learning_rate_at(RECIPE, epoch) == pytest.approx(rate)


def test_without_warm_up_the_run_starts_at_the_peak() -> None:
    assert learning_rate_at(RECIPE.model_copy(update={"warmup_epochs": 0}), 0) == 0.2


def test_run_that_is_all_warm_up_ends_at_zero() -> None:
    assert learning_rate_at(RECIPE.model_copy(update={"warmup_epochs": 10}), 10) == 0.2

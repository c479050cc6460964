import pytest
from pydantic import ValidationError

from training.recipe import Recipe, Stage


def test_epochs_are_those_of_all_stages() -> None:
    assert Recipe(stages=(Stage(epochs=2, size=32), Stage(epochs=3, size=48))).epochs == 5


@pytest.mark.parametrize(("epoch", "size"), [(0, 32), (1, 32), (2, 48), (4, 48), (9, 48)])
def test_size_is_that_of_the_epochs_stage(epoch: int, size: int) -> None:
    recipe = Recipe(stages=(Stage(epochs=2, size=32), Stage(epochs=3, size=48)))
    assert recipe.size_at(epoch) == size


@pytest.mark.parametrize("given", [{"taught": 0.5}, {"teachers": ("runs/one",)}])
def test_teachers_and_their_share_come_together(given: dict[str, object]) -> None:
    with pytest.raises(
        ValidationError, match="Give teachers and a share above 0 that is taught, or neither"
    ):
        Recipe.model_validate(given)


def test_smoothing_is_spread_over_what_is_not_taught() -> None:
    assert Recipe(label_smoothing=0.05).smoothing == 0.05
    taught = {"label_smoothing": 0.1, "teachers": ["runs/one"], "taught": 0.6}
    assert Recipe.model_validate(taught).smoothing == pytest.approx(0.04)


def test_targets_that_are_only_smoothed_teach_nothing_and_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"label_smoothing\n.*less than or equal to 0\.9"):
        Recipe(label_smoothing=1.0)


def test_fine_network_can_not_begin_with_a_served_ones_weights() -> None:
    with pytest.raises(ValidationError, match="A fine network begins with random weights"):
        Recipe.model_validate({"network": "fine", "initial": "model.onnx"})


def test_teachers_are_a_list() -> None:
    with pytest.raises(ValidationError, match=r"Give a list of folders, like \[runs/one, runs/tw"):
        Recipe.model_validate({"teachers": "runs/one", "taught": 0.5})

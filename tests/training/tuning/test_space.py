import pytest

from training.errors import RecipeError
from training.experiment import Range
from training.recipe import AugmentationRecipe, Recipe
from training.tuning.space import Dimension, recipe_with, space_of


class Lowest:
    """Draws the lower end of every range, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:  # noqa: ARG002
        self.asked.append(("float", name, log))
        return low

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:  # noqa: ARG002
        self.asked.append(("int", name, log))
        return low


def test_space_begins_at_the_recipes_own_values() -> None:
    search = {"augmentation.scale": Range(low=0, high=0.25), "batch_size": Range(low=64, high=256)}
    assert space_of(Recipe(), search) == (
        Dimension("augmentation.scale", 0.0, 0.25, log=False, own=0.12),
        Dimension("batch_size", 64, 256, log=False, own=128),
    )


def test_integer_keys_are_drawn_as_integers_and_others_as_numbers() -> None:
    search = {
        "batch_size": Range(low=64, high=256, log=True),
        "dropout": Range(low=0.1, high=0.5),
    }
    trial = Lowest()
    drawn = [one.draw(trial) for one in space_of(Recipe(), search)]
    assert drawn == [64, 0.1]
    assert isinstance(drawn[0], int)
    assert trial.asked == [("int", "batch_size", True), ("float", "dropout", False)]


def test_recipe_changes_only_in_the_keys_that_are_given() -> None:
    changed = recipe_with(Recipe(seed=3), {"augmentation.mixup": 0.5, "batch_size": 64})
    expected = Recipe(seed=3, batch_size=64, augmentation=AugmentationRecipe(mixup=0.5))
    assert changed == expected


@pytest.mark.parametrize(
    ("key", "wanted", "message"),
    [
        ("mixing", Range(low=0, high=1), "mixing: no such key of train"),
        ("augmentation.mixing", Range(low=0, high=1), "augmentation.mixing: no such key of train"),
        ("dropout.more", Range(low=0, high=1), "dropout.more: no such key of train"),
        ("precision", Range(low=0, high=1), "precision: only numbers can be searched, and it is"),
        ("augmentation", Range(low=0, high=1), "augmentation: only numbers can be searched"),
        ("limit", Range(low=1, high=9), "limit: only numbers can be searched, and it is None"),
        ("dropout", Range(low=0.5, high=0.5), "dropout: low must be less than high, not 0.5 and"),
        ("dropout", Range(low=0.5, high=0.1), "dropout: low must be less than high, not 0.5 and"),
        ("dropout", Range(low=0, high=0.5, log=True), "dropout: low must be above 0 with log"),
        ("dropout", Range(low=0, high=1.5), "dropout: Input should be less than or equal to 1"),
        ("momentum", Range(low=0.5, high=1.0), "momentum: Input should be less than 1, not 1.0"),
        ("batch_size", Range(low=64.5, high=256), "batch_size: give integers, not 64.5 and 256"),
        ("batch_size", Range(low=1, high=256), "batch_size: Input should be greater than or equal"),
        ("dropout", Range(low=0.3, high=0.5), "dropout: the recipe's own value 0.2 must lie"),
    ],
)
def test_bad_range_is_refused_in_one_line(key: str, wanted: Range, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        space_of(Recipe(), {key: wanted})
    assert str(caught.value).startswith(f"tune.search.{message}")
    assert "\n" not in str(caught.value)


def test_search_without_a_key_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"tune\.search: give at least one key"):
        space_of(Recipe(), {})


def test_value_that_the_recipe_forbids_is_refused() -> None:
    message = "augmentation.mixup: Input should be less than or equal to 1, not 2"
    with pytest.raises(RecipeError, match=message):
        recipe_with(Recipe(), {"augmentation.mixup": 2})


def test_values_that_do_not_go_together_are_refused_by_their_keys() -> None:
    with pytest.raises(RecipeError, match=r"^taught: Give teachers and a share above 0"):
        recipe_with(Recipe(), {"taught": 0.5})

from pathlib import Path

import pytest

from training.errors import RecipeError
from training.recipe import AugmentationRecipe, Recipe, Stage, load_recipe

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_default_recipe() -> None:
    assert load_recipe(None) == Recipe()


def test_empty_file_means_the_default_recipe(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, "")) == Recipe()


def test_file_changes_only_what_it_names(tmp_path: Path) -> None:
    path = write(tmp_path, "seed: 7\naugmentation: {mixup: 0.5}")
    assert load_recipe(path) == Recipe(seed=7, augmentation=AugmentationRecipe(mixup=0.5))


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_every_shipped_recipe_is_valid(path: Path) -> None:
    load_recipe(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead: 7", "sead: Extra inputs are not permitted"),
        ("augmentation: {mixing: 1}", "augmentation.mixing: Extra inputs are not permitted"),
        ("augmentation: {mixup: 1.5}", "augmentation.mixup: Input should be less than or equal"),
        ("batch_size: many", "batch_size: Input should be a valid integer"),
        ("stages: []", "stages: give at least one"),
        ("[1, 2]", "Input should be a valid dictionary"),
        ("a: [", "no YAML"),
    ],
)
def test_bad_recipe_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_recipe(tmp_path / "recipe.yaml")


def test_epochs_are_those_of_all_stages() -> None:
    assert Recipe(stages=(Stage(epochs=2, size=32), Stage(epochs=3, size=48))).epochs == 5


@pytest.mark.parametrize(("epoch", "size"), [(0, 32), (1, 32), (2, 48), (4, 48), (9, 48)])
def test_size_is_that_of_the_epochs_stage(epoch: int, size: int) -> None:
    recipe = Recipe(stages=(Stage(epochs=2, size=32), Stage(epochs=3, size=48)))
    assert recipe.size_at(epoch) == size

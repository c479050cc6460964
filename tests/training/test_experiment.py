from pathlib import Path

import pytest

from training.errors import RecipeError
from training.experiment import (
    DataRecipe,
    Experiment,
    GateRecipe,
    experiment_on,
    load_experiment,
    name_of,
)
from training.recipe import AugmentationRecipe, Recipe

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "trial.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_default_experiment() -> None:
    assert load_experiment(None) == Experiment()


def test_empty_file_means_the_default_experiment(tmp_path: Path) -> None:
    assert load_experiment(write(tmp_path, "")) == Experiment()


def test_file_changes_only_what_it_names(tmp_path: Path) -> None:
    text = "train: {seed: 7, augmentation: {mixup: 0.5}}\ngate: {recall_margin: 0.01}"
    recipe = Recipe(seed=7, augmentation=AugmentationRecipe(mixup=0.5))
    expected = Experiment(train=recipe, gate=GateRecipe(recall_margin=0.01))
    assert load_experiment(write(tmp_path, text)) == expected


def test_data_may_lie_elsewhere() -> None:
    moved = experiment_on(Experiment(), "s3://faces/fer2013")
    assert moved == Experiment(data=DataRecipe(source="s3://faces/fer2013"))
    assert experiment_on(moved, None) == moved


def test_name_is_the_files() -> None:
    assert name_of(Path("training/configs/smoke.yaml")) == "smoke"
    assert name_of(None) == "default"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_every_shipped_experiment_is_valid(path: Path) -> None:
    load_experiment(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 7", "seed: Extra inputs are not permitted"),
        ("train: {sead: 7}", "train.sead: Extra inputs are not permitted"),
        ("train: {augmentation: {mixing: 1}}", "train.augmentation.mixing: Extra inputs are"),
        ("train: {augmentation: {mixup: 1.5}}", "augmentation.mixup: Input should be less than"),
        ("train: {batch_size: many}", "train.batch_size: Input should be a valid integer"),
        ("train: {stages: []}", "train: Value error, stages: give at least one"),
        ("data: {detector: haar}", "data.detector: Input should be 'retinaface' or 'mtcnn'"),
        ("gate: {recall_margin: 0.06}", "gate.recall_margin: Input should be less than or equal"),
        ("gate: {significance: 0.2}", "gate.significance: Input should be less than or equal"),
        ("[1, 2]", "Input should be a valid dictionary"),
        ("a: [", "no YAML"),
    ],
)
def test_bad_experiment_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_experiment(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_experiment(tmp_path / "trial.yaml")

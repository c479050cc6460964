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
    with_defaults,
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


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: str(path.stem))
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
        ("train: {batch_size: 8, batch_size: 9}", "line 1: batch_size is given in line 1 already"),
        ("train: {learning_rate: .inf}", "train.learning_rate: Input should be a finite number"),
        ("train: {augmentation: {rotation: .nan}}", "rotation: Input should be a finite number"),
        ("gate: {significance: .nan}", "gate.significance: Input should be a finite number"),
        ("tune: {search: {x: {low: 0, high: .inf}}}", "search.x.high: Input should be a finite"),
        ("train: {limit: 1, batch_size: 2}", "train.limit: Give at least 7: a whole batch, and"),
        ("train: {limit: 127}", "train.limit: Give at least 128: a whole batch, and"),
        ("train: {batch_size: many, limit: 6}", "train.limit: Give at least 7: a whole batch"),
        (
            "quantisation: {most_lost: 0.0031}",
            ": quantisation.most_lost: Input should be less than",
        ),
        ("train: {stages: []}", "train.stages: Give at least one stage, with epochs and size"),
        ("data: {detector: haar}", "data.detector: Input should be 'retinaface' or 'mtcnn'"),
        ("gate: {recall_margin: 0.06}", "gate.recall_margin: Input should be less than or equal"),
        ("gate: {significance: 0.2}", "gate.significance: Input should be less than or equal"),
        ("[1, 2]", "Input should be a valid dictionary"),
        ("[]", "Input should be a valid dictionary"),
        ("a: [", "trial.yaml: no YAML: while parsing"),
    ],
)
def test_bad_experiment_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_experiment(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_file_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "trial.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match=r"trial\.yaml: no YAML: 'utf-8' codec can't decode"):
        load_experiment(tmp_path / "trial.yaml")


@pytest.mark.parametrize(
    "text",
    ["train: {limit: 128}\nquantisation: {most_lost: 1.0}", "quantisation: {most_lost: 0.003}"],
)
def test_trial_alone_may_lose_more_by_int8(tmp_path: Path, text: str) -> None:
    assert load_experiment(write(tmp_path, text)).quantisation.most_lost in (1.0, 0.003)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_experiment(tmp_path / "trial.yaml")


def test_kept_experiment_gets_the_defaults_of_newer_keys() -> None:
    kept = Experiment(train=Recipe(seed=7)).model_dump(mode="json")
    older = {**kept, "train": {key: kept["train"][key] for key in ("seed", "stages")}}
    assert with_defaults(older) == kept


def test_kept_experiment_that_can_not_be_read_stays_as_it_is() -> None:
    assert with_defaults({"train": {"sead": 7}}) == {"train": {"sead": 7}}

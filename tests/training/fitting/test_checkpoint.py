import shutil
from pathlib import Path

import pytest
import torch
import yaml

from training.errors import CheckpointError
from training.fitting.checkpoint import (
    EpochResult,
    RunFolder,
    best_weights,
    load_network,
    read_history,
)
from training.recipe import Recipe

CPU = torch.device("cpu")


def test_folder_that_holds_a_run_is_refused_without_resume(trained_run: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds a run\. Give --resume"):
        RunFolder(trained_run, resume=False)


def test_new_folder_has_no_checkpoint(tmp_path: Path, tiny_recipe: Recipe) -> None:
    assert RunFolder(tmp_path / "deep" / "run", resume=True).load(tiny_recipe, CPU) is None


def test_checkpoint_of_another_recipe_is_refused(trained_run: Path, tiny_recipe: Recipe) -> None:
    other = tiny_recipe.model_copy(update={"seed": 2, "batch_size": 4})
    with pytest.raises(CheckpointError, match=r"differs in batch_size, seed$"):
        RunFolder(trained_run, resume=True).load(other, CPU)


def test_recipe_is_kept_in_full(trained_run: Path, tiny_recipe: Recipe) -> None:
    content = yaml.safe_load((trained_run / "recipe.yaml").read_text(encoding="utf-8"))
    assert Recipe.model_validate(content) == tiny_recipe


def test_no_draft_is_left_behind(trained_run: Path) -> None:
    names = {path.name for path in trained_run.iterdir()}
    assert names == {"checkpoint.pt", "best.pt", "recipe.yaml", "history.jsonl"}


def test_run_without_a_finished_epoch_has_no_best_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"best\.pt: missing. Train first"):
        best_weights(tmp_path)


def test_best_weights_load_into_a_network_that_answers(trained_run: Path) -> None:
    network = load_network(best_weights(trained_run))
    assert not network.training
    weights = torch.load(trained_run / "best.pt", weights_only=True)
    assert torch.equal(network.state_dict()["resnet.conv1.weight"], weights["resnet.conv1.weight"])


def test_best_weights_that_are_not_a_networks_are_refused(
    tmp_path: Path, trained_run: Path
) -> None:
    shutil.copy(trained_run / "checkpoint.pt", tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match=r"best\.pt: not an emotion network's weights"):
        load_network(best_weights(tmp_path))


def test_history_has_an_epoch_once_that_was_done_twice(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, resume=False)
    first, second = (EpochResult(epoch, 16, 0.1, 1.5, 0.25) for epoch in range(2))
    for result in (first, second, second):
        folder.append_history(result)
    assert read_history(tmp_path) == [first, second]


def test_new_folder_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []

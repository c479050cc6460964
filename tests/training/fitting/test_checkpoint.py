import math
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
    read_recipe,
)
from training.recipe import Recipe

CPU = torch.device("cpu")


def test_folder_that_holds_a_run_is_refused_without_resume(trained_run: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds a run\. Give --resume"):
        RunFolder(trained_run, resume=False)


def test_new_folder_has_no_checkpoint(tmp_path: Path, tiny_recipe: Recipe) -> None:
    assert RunFolder(tmp_path / "deep" / "run", resume=True).load(tiny_recipe, CPU) is None


def test_folder_is_made_when_the_run_begins(tmp_path: Path, tiny_recipe: Recipe) -> None:
    folder = RunFolder(tmp_path / "deep" / "run", resume=False)
    assert list(tmp_path.iterdir()) == []
    folder.begin(tiny_recipe)
    assert [path.name for path in (tmp_path / "deep" / "run").iterdir()] == ["recipe.yaml"]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_checkpoint_that_was_cut_off_is_refused(
    trained_run: Path, tiny_recipe: Recipe, tmp_path: Path, share: float
) -> None:
    content = (trained_run / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: damaged\. Bring it back from a"):
        RunFolder(tmp_path, resume=True).load(tiny_recipe, CPU)


def test_weights_in_place_of_the_checkpoint_are_refused(
    trained_run: Path, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    shutil.copy(trained_run / "best.pt", tmp_path / "checkpoint.pt")
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: no checkpoint\. Bring it back"):
        RunFolder(tmp_path, resume=True).load(tiny_recipe, CPU)


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
    with pytest.raises(CheckpointError, match=r"best\.pt: no weights of EmotionNetwork\."):
        load_network(best_weights(tmp_path))


def test_best_weights_that_were_cut_off_are_refused(tmp_path: Path, trained_run: Path) -> None:
    content = (trained_run / "best.pt").read_bytes()
    (tmp_path / "best.pt").write_bytes(content[:-1000])
    with pytest.raises(CheckpointError, match=r"best\.pt: damaged\. Bring it back from a copy"):
        load_network(best_weights(tmp_path))


def test_recipe_is_read_back(trained_run: Path, tiny_recipe: Recipe) -> None:
    assert read_recipe(trained_run) == tiny_recipe


def test_recipe_of_an_older_run_lacks_keys_that_are_newer(
    trained_run: Path, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    text = (trained_run / "recipe.yaml").read_text(encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(text.replace("framing: raw\n", ""), encoding="utf-8")
    assert read_recipe(tmp_path) == tiny_recipe


def test_recipe_that_was_cut_off_anywhere_is_refused(trained_run: Path, tmp_path: Path) -> None:
    content = (trained_run / "recipe.yaml").read_bytes()
    for length in range(len(content)):
        (tmp_path / "recipe.yaml").write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"recipe\.yaml: damaged: [^\n]*$"):
            read_recipe(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"a: [", b"\xff\xfe", b"- limit\n", b"seed: x\nlimit: 9\n"]
)
def test_recipe_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recipe.yaml").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"recipe\.yaml: damaged: [^\n]*writes it anew$"):
        read_recipe(tmp_path)


def test_folder_without_a_recipe_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"recipe\.yaml: missing\. The folder holds no"):
        read_recipe(tmp_path)


def test_history_has_an_epoch_once_that_was_done_twice(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, resume=False)
    first, second = (EpochResult(epoch, 16, 0.1, 1.5, 0.25) for epoch in range(2))
    for result in (first, second, second):
        folder.append_history(result)
    assert read_history(tmp_path) == [first, second]


def test_half_a_line_of_the_history_is_dropped_when_the_run_goes_on(
    tmp_path: Path, tiny_recipe: Recipe
) -> None:
    folder = RunFolder(tmp_path, resume=True)
    first, second = (EpochResult(epoch, 16, 0.1, 1.5, 0.25) for epoch in range(2))
    folder.append_history(first)
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"epoch": 1, "si')
    assert read_history(tmp_path) == [first]
    folder.begin(tiny_recipe)
    folder.append_history(second)
    assert read_history(tmp_path) == [first, second]


def test_history_of_a_run_that_diverged_is_read(tmp_path: Path) -> None:
    RunFolder(tmp_path, resume=False).append_history(EpochResult(0, 16, 0.1, math.nan, 0.25))
    (result,) = read_history(tmp_path)
    assert math.isnan(result.loss)


@pytest.mark.parametrize("line", ["", "{", "[]", '{"epoch": 1}', "\0\0"])
def test_damaged_line_of_the_history_is_named(tmp_path: Path, line: str) -> None:
    RunFolder(tmp_path, resume=False).append_history(EpochResult(0, 16, 0.1, 1.5, 0.25))
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(CheckpointError, match=r"history\.jsonl: line 2 is damaged\. Bring"):
        read_history(tmp_path)


def test_new_folder_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path) == []

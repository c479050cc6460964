import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.data.dataset import Fer2013
from training.errors import CheckpointError
from training.fitting.checkpoint import RunFolder, RunState
from training.fitting.fit import fit
from training.recipe import Recipe

CPU = torch.device("cpu")


def read(path: Path) -> RunState:
    state: RunState = torch.load(path / "checkpoint.pt", weights_only=True)
    return state


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def interrupted_run(
    drawn: Fer2013, tiny_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that was cut off after its first epoch and taken up again from its folder."""
    path = tmp_path_factory.mktemp("interrupted")
    train = drawn.train.first(tiny_recipe.limit)
    next(fit(tiny_recipe, train, drawn.val, RunFolder(path, resume=False), CPU))
    assert read(path)["next_epoch"] == 1
    torch.rand(3)  # the global generator is somewhere else in another process
    rest = list(fit(tiny_recipe, train, drawn.val, RunFolder(path, resume=True), CPU))
    assert [result.epoch for result in rest] == [1]
    return path


def test_resumed_run_has_the_weights_of_an_uninterrupted_one(
    interrupted_run: Path, trained_run: Path
) -> None:
    resumed, whole = read(interrupted_run), read(trained_run)
    assert same(resumed["network"], whole["network"])
    assert same(resumed["average"], whole["average"])


def test_resumed_run_has_the_momentum_of_an_uninterrupted_one(
    interrupted_run: Path, trained_run: Path
) -> None:
    resumed, whole = (read(path)["optimizer"]["state"] for path in (interrupted_run, trained_run))
    assert resumed.keys() == whole.keys()
    assert all(
        torch.equal(resumed[key]["momentum_buffer"], whole[key]["momentum_buffer"]) for key in whole
    )


def test_resumed_run_has_the_history_of_an_uninterrupted_one(
    interrupted_run: Path, trained_run: Path
) -> None:
    histories = [(path / "history.jsonl").read_text() for path in (interrupted_run, trained_run)]
    assert histories[0] == histories[1]


def test_history_has_a_line_an_epoch(trained_run: Path) -> None:
    lines = (trained_run / "history.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    assert [epoch["epoch"] for epoch in epochs] == [0, 1]
    assert [epoch["size"] for epoch in epochs] == [16, 24]
    assert all(0 <= epoch["val_accuracy"] <= 1 for epoch in epochs)


def test_best_accuracy_is_the_highest_of_the_history(trained_run: Path) -> None:
    lines = (trained_run / "history.jsonl").read_text().splitlines()
    assert read(trained_run)["best_accuracy"] == max(
        json.loads(line)["val_accuracy"] for line in lines
    )


def test_finished_run_has_nothing_left_to_do(
    trained_run: Path, drawn: Fer2013, tiny_recipe: Recipe
) -> None:
    folder = RunFolder(trained_run, resume=True)
    assert list(fit(tiny_recipe, drawn.train, drawn.val, folder, CPU)) == []


def test_run_does_not_go_on_with_another_recipe(
    trained_run: Path, drawn: Fer2013, tiny_recipe: Recipe
) -> None:
    other = tiny_recipe.model_copy(update={"seed": 2})
    folder = RunFolder(trained_run, resume=True)
    with pytest.raises(CheckpointError, match="another recipe, which differs in seed"):
        next(fit(other, drawn.train, drawn.val, folder, CPU))

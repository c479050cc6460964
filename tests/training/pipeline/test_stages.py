from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch

from tests.mlflow_server import MlflowServer
from training.data.dataset import Fer2013
from training.errors import PipelineError, RegistryError
from training.fitting.checkpoint import EpochResult, read_history
from training.pipeline.place import Place
from training.pipeline.stages import opened_run, train
from training.recipe import Recipe
from training.registry.tracking import TrackedRun, Tracker

CPU = torch.device("cpu")


class RunOfADeafServer(TrackedRun):
    """Stands for a run whose server is down for the first so many calls."""

    def __init__(self, calls_down: int) -> None:
        self.logged: list[int] = []
        self._calls_down = calls_down

    def log_epochs(self, results: Sequence[EpochResult]) -> None:
        if self._calls_down:
            self._calls_down -= 1
            raise RegistryError("MLflow doesn't answer")
        self.logged = [result.epoch for result in results]


def open_once(tracker: Tracker, place: Place, name: str, tags: Mapping[str, str]) -> str:
    with opened_run(tracker, name, {"seed": "1"}, place, tags) as run:
        return run.run_id


@pytest.fixture
def tracker(mlflow: MlflowServer) -> Tracker:
    return Tracker(mlflow.url)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "001"
    folder.mkdir()
    return Place(folder, key=tmp_path.name, resumed=False)


def test_training_goes_on_while_mlflow_is_down_and_its_curves_follow(
    drawn: Fer2013, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    run, said = RunOfADeafServer(calls_down=1), list[str]()
    weights = train(tiny_recipe, drawn, tmp_path, run, CPU, said.append)
    assert weights == tmp_path / "best.pt"
    assert run.logged == [0, 1]
    assert said[1] == "the curves wait: MLflow doesn't answer"
    assert [line.split("  ")[0] for line in said] == [
        "epoch 1/2", "the curves wait: MLflow doesn't answer", "epoch 2/2",
    ]  # fmt: skip


def test_training_that_mlflow_never_hears_of_is_kept_on_disk(
    drawn: Fer2013, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError):
        train(tiny_recipe, drawn, tmp_path, RunOfADeafServer(calls_down=9), CPU, print)
    assert [result.epoch for result in read_history(tmp_path)] == [0, 1]

    heard = RunOfADeafServer(calls_down=0)
    train(tiny_recipe, drawn, tmp_path, heard, CPU, print)
    assert heard.logged == [0, 1]


def test_run_of_a_pipeline_is_opened_once(tracker: Tracker, place: Place) -> None:
    first = open_once(tracker, place, "stages", {"data": "a"})
    assert open_once(tracker, place, "stages", {"data": "b"}) == first
    run = tracker.client.get_run(first)
    assert run.info.run_name == "stages/001"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "1"}
    assert run.data.tags["data"] == "b"


def test_another_pipeline_opens_another_run(tracker: Tracker, place: Place) -> None:
    other = Place(place.folder, key="another", resumed=False)
    assert open_once(tracker, place, "stages", {}) != open_once(tracker, other, "stages", {})


def test_pipeline_that_fails_leaves_a_failed_run(tracker: Tracker, place: Place) -> None:
    with (
        pytest.raises(PipelineError),
        opened_run(tracker, "stages", {}, place, {}) as run,
    ):
        raise PipelineError("something to mend")
    assert tracker.client.get_run(run.run_id).info.status == "FAILED"

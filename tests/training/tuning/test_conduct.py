import pytest
from optuna.trial import TrialState

from tests.mlflow_server import MlflowServer
from tests.training.tuning.conftest import (
    MakeTask,
    curve,
    runs_of,
    states_of,
    trials_of,
)
from training.errors import RegistryError, TuningError
from training.experiment import load_experiment
from training.tuning.conduct import conduct
from training.tuning.storage import storage_url


def test_two_workers_share_a_study_on_postgresql(
    make_task: MakeTask, postgres: str, mlflow: MlflowServer
) -> None:
    task = make_task(
        trials=4,
        study="shared",
        name="shared",
        tracking=mlflow.url,
        storage=storage_url(postgres, make_task().home),
    )
    conduct(task, 2, print)
    trials = trials_of(task)
    parent, *children = runs_of(task)
    assert states_of(task) == [TrialState.COMPLETE] * 4
    assert len({trial.params["learning_rate"] for trial in trials}) == 4
    assert len({trial.user_attrs["worker"] for trial in trials}) == 2
    assert sorted(run["trial"] for run in children) == ["0", "1", "2", "3"]
    assert {run["mlflow.parentRunId"] for run in children} == {parent["id"]}
    assert [curve(task, run["id"]) for run in children] == [[1]] * 4
    assert {run["status"] for run in (parent, *children)} == {"FINISHED"}


def test_result_is_an_experiment_of_the_best_trial(make_task: MakeTask) -> None:
    task = make_task(trials=2, study="result")
    lines: list[str] = []
    conduct(task, 1, lines.append)
    best = max(trials_of(task), key=lambda trial: (trial.value, -trial.number))
    recipe = load_experiment(task.result).train
    assert {key: getattr(recipe, key) for key in best.params} == best.params
    assert recipe.stages == task.experiment.train.stages
    assert lines[0] == "study result: 2 trials to run, over learning_rate, batch_size"
    assert lines[-1].startswith("\ntrial  state     val accuracy  epochs  batch_size  learning")
    assert runs_of(task)[0]["best_trial"] == str(best.number)
    assert not task.folder.exists()


def test_finished_study_has_nothing_left_to_run(make_task: MakeTask) -> None:
    task = make_task(study="done")
    conduct(task, 1, print)
    lines: list[str] = []
    conduct(task, 1, lines.append)
    assert lines[0] == "study done: 0 trials to run, over learning_rate, batch_size"
    assert len(states_of(task)) == 1


@pytest.mark.soak
def test_workers_that_end_too_early_are_reported(make_task: MakeTask) -> None:
    task = make_task(study="early", source="no-such-folder", trials=3)
    with pytest.raises(TuningError, match="study early: its workers ended with 3 trials left"):
        conduct(task, 2, print)
    assert runs_of(task)[0]["status"] == "KILLED"


def test_nothing_begins_when_mlflow_does_not_answer(make_task: MakeTask) -> None:
    task = make_task(tracking="http://127.0.0.1:9")
    with pytest.raises(RegistryError, match="MLflow at http"):
        conduct(task, 1, print)
    assert not (task.home / "tuning").exists()

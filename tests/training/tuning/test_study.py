import pytest
from optuna import Study
from optuna.trial import TrialState, create_trial

from tests.training.tuning.conftest import (
    QUICK,
    MakeTask,
    begin_study,
    change_study,
    experiment,
    runs_of,
    states_of,
    storage_of,
    trials_of,
)
from training.errors import RegistryError, TuningError
from training.experiment import Range
from training.registry.tracking import Tracker
from training.tuning.study import WORKER, begin, reclaim
from training.tuning.worker import work

WAITING, RUNNING, FAILED = TrialState.WAITING, TrialState.RUNNING, TrialState.FAIL


def test_study_begins_with_all_its_trials_waiting(make_task: MakeTask) -> None:
    task = make_task(trials=3)
    begin_study(task)
    assert states_of(task) == [WAITING] * 3


def test_first_trial_has_the_recipes_own_values(make_task: MakeTask) -> None:
    task = make_task(trials=2)
    begin_study(task)
    fixed = [trial.system_attrs["fixed_params"] for trial in trials_of(task)]
    assert fixed == [{"learning_rate": 0.1, "batch_size": 8}, {}]


def test_study_that_is_begun_twice_has_its_trials_and_its_run_once(make_task: MakeTask) -> None:
    task = make_task(trials=2, study="twice")
    begin_study(task)
    begin_study(task)
    assert states_of(task) == [WAITING] * 2
    assert [run["mlflow.runName"] for run in runs_of(task)] == ["tune twice"]


def test_study_that_should_have_more_trials_gets_those_that_are_missing(
    make_task: MakeTask,
) -> None:
    begin_study(make_task(trials=2))
    task = make_task(trials=3)
    begin_study(task)
    assert states_of(task) == [WAITING] * 3


def test_failed_trial_is_made_up_for(make_task: MakeTask) -> None:
    task = make_task(trials=2)
    begin_study(task)
    change_study(task, lambda study: study.tell(take_first(study), state=FAILED))
    begin_study(task)
    assert states_of(task) == [FAILED, WAITING, WAITING]


def take_first(study: Study) -> int:
    """Take the first waiting trial, past Optuna's warning that we do so by hand."""
    trial = study.get_trials(states=(WAITING,))[0]
    study._storage.set_trial_state_values(trial._trial_id, RUNNING)
    return trial.number


def test_study_tells_mlflow_its_recipe_and_its_search(make_task: MakeTask) -> None:
    task = make_task(study="told")
    begin_study(task)
    run = runs_of(task)[0]
    assert run["batch_size"] == "8"
    assert run["tune.search.learning_rate.high"] == "0.2"


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (experiment(epochs=2), "train"),
        (experiment(search={"dropout": Range(low=0.1, high=0.5)}), "search"),
    ],
)
def test_study_of_another_recipe_or_search_is_refused(
    make_task: MakeTask, other: object, part: str
) -> None:
    begin_study(make_task())
    with pytest.raises(TuningError, match=f"study small: made with another {part}, so"):
        begin_study(make_task(experiment=other))


def test_study_from_before_a_key_goes_on(make_task: MakeTask) -> None:
    task = make_task()
    begin_study(task)

    def forget(study: Study) -> None:
        made_with = study.user_attrs["made_with"]
        del made_with["train"]["teachers"]
        study.set_user_attr("made_with", made_with)

    change_study(task, forget)
    begin_study(task)


def test_study_whose_run_is_in_another_mlflow_says_so(make_task: MakeTask) -> None:
    task = make_task()
    begin_study(task)
    change_study(task, lambda study: study.set_user_attr("mlflow_run", "0" * 32))
    with pytest.raises(RegistryError, match=f"Run with id={'0' * 32} not found"):
        begin_study(task)


def test_trial_whose_worker_died_before_its_first_sign_of_life_waits_again(
    make_task: MakeTask,
) -> None:
    task = make_task(pulse=QUICK)
    begin_study(task)
    change_study(task, take_first)
    with storage_of(task) as storage:
        study = begin(task, storage, Tracker(task.tracking))
        reclaim(study, storage)
        assert [trial.state for trial in study.trials] == [RUNNING]
    work(task, print)
    assert states_of(task) == [FAILED, TrialState.COMPLETE]
    assert trials_of(task)[1].params == {"learning_rate": 0.1, "batch_size": 8}


def test_trial_that_ends_its_worker_again_and_again_is_given_up(make_task: MakeTask) -> None:
    task = make_task(trials=1)
    begin_study(task)
    run = runs_of(task)[0]["id"]
    attributes = {WORKER: "elsewhere:1", "attempt": 3, "mlflow_run": run}
    change_study(
        task, lambda study: study.add_trial(create_trial(state=RUNNING, user_attrs=attributes))
    )
    with storage_of(task) as storage:
        rescue = storage.get_heartbeat_stale_trial_callback()
        study = begin(task, storage, Tracker(task.tracking))
        assert rescue is not None
        rescue(study, study.trials[1])
    assert states_of(task) == [WAITING, RUNNING]
    assert runs_of(task)[0]["status"] == "FAILED"

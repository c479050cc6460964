import threading
from pathlib import Path

import pytest
from optuna import Study
from optuna.trial import TrialState, create_trial

from tests.training.tuning.conftest import (
    MakeTask,
    begin_study,
    change_study,
    curve,
    experiment,
    runs_of,
    states_of,
    storage_of,
    trials_of,
)
from training.data.dataset import Split
from training.data.fer2013 import load_fer2013
from training.errors import RegistryError
from training.experiment import Range
from training.registry.tracking import TrackedRun, Tracker
from training.tuning.objective import Bench
from training.tuning.study import join
from training.tuning.task import TuningTask
from training.tuning.worker import prepare_bench, run_next, work

WAITING, FAILED = TrialState.WAITING, TrialState.FAIL
COMPLETE, PRUNED = TrialState.COMPLETE, TrialState.PRUNED
NOBODY = "http://127.0.0.1:9"


def test_every_trial_is_a_run_below_the_studys_with_its_values_and_its_curve(
    make_task: MakeTask,
) -> None:
    task = make_task(trials=2, study="runs", experiment=experiment(epochs=2))
    begin_study(task)
    work(task, print)
    parent, *children = runs_of(task)
    assert [run["mlflow.parentRunId"] for run in children] == [parent["id"]] * 2
    assert [run["mlflow.runName"] for run in children] == ["trial 0", "trial 1"]
    assert [run["status"] for run in children] == ["FINISHED"] * 2
    assert [run["state"] for run in children] == ["finished"] * 2
    assert [curve(task, run["id"]) for run in children] == [[1, 2]] * 2
    drawn = [trial.params for trial in trials_of(task)]
    assert [float(run["learning_rate"]) for run in children] == [
        values["learning_rate"] for values in drawn
    ]


def test_trials_value_is_its_best_epochs_val_accuracy(make_task: MakeTask) -> None:
    task = make_task(experiment=experiment(epochs=3))
    begin_study(task)
    lines: list[str] = []
    work(task, lines.append)
    trial = trials_of(task)[0]
    assert trial.value == max(trial.intermediate_values.values())
    assert list(trial.intermediate_values) == [1, 2, 3]
    assert lines == [
        f"trial 0  finished  val accuracy {trial.value:.2%}  after 3 epochs  "
        "learning_rate 0.1  batch_size 8"
    ]


def test_later_trials_differ_from_the_first_and_from_each_other(make_task: MakeTask) -> None:
    task = make_task(trials=3)
    begin_study(task)
    work(task, print)
    assert len({trial.params["learning_rate"] for trial in trials_of(task)}) == 3


def test_study_with_the_same_seed_draws_the_same(make_task: MakeTask) -> None:
    drawn = []
    for study in ("one", "other"):
        task = make_task(trials=2, study=study)
        begin_study(task)
        work(task, print)
        drawn.append(trials_of(task)[1].params)
    assert drawn[0] == drawn[1]


def test_trial_that_falls_behind_is_pruned(make_task: MakeTask) -> None:
    task = make_task(study="pruned", experiment=experiment(epochs=4))
    begin_study(task)
    perfect = create_trial(value=1.0, intermediate_values=dict.fromkeys(range(1, 5), 1.0))
    change_study(task, lambda study: study.add_trials([perfect] * 4))
    lines: list[str] = []
    work(task, lines.append)
    trial = trials_of(task)[0]
    run = runs_of(task)[1]
    assert trial.state == PRUNED
    assert list(trial.intermediate_values) == [1]
    assert curve(task, run["id"]) == [1]
    assert (run["state"], run["status"]) == ("pruned", "FINISHED")
    assert lines[0].startswith("trial 0  pruned  val accuracy ")


def test_trial_that_torch_refuses_is_failed_and_the_next_runs(make_task: MakeTask) -> None:
    too_much = experiment(search={"seed": Range(low=1, high=10**15)})
    task = make_task(trials=2, study="failed", experiment=too_much)
    begin_study(task)
    work(task, print)
    assert states_of(task) == [COMPLETE, FAILED]
    run = runs_of(task)[2]
    assert (run["state"], run["status"]) == ("failed", "FAILED")
    assert run["reason"] == "Overflow when unpacking long long"


def test_trial_is_given_back_when_mlflow_does_not_answer(make_task: MakeTask) -> None:
    task = make_task()
    begin_study(task)
    with pytest.raises(RegistryError, match="doesn't answer"):
        work(make_task(tracking=NOBODY), print)
    assert states_of(task) == [FAILED, WAITING]
    assert trials_of(task)[1].params == {"learning_rate": 0.1, "batch_size": 8}


def test_given_back_trial_goes_on_in_its_run_with_every_epoch_once(make_task: MakeTask) -> None:
    task = make_task(study="back", experiment=experiment(epochs=2))
    begin_study(task)

    class Interrupted(TrackedRun):
        def log_figures(self, figures: object) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    class Interrupting(Tracker):
        def open_run(self, *words: object, **named: object) -> TrackedRun:
            run = super().open_run(*words, **named)  # type: ignore[arg-type]
            return Interrupted(self, run.run_id, is_new=True)

    with storage_of(task) as storage, pytest.raises(KeyboardInterrupt):
        run_next(bench_with(task, Interrupting(task.tracking)), join(task, storage), storage, print)
    assert [(run["state"], run["status"]) for run in runs_of(task)[1:]] == [("running", "KILLED")]

    work(task, print)

    run = runs_of(task)[1]
    assert states_of(task) == [FAILED, COMPLETE]
    assert (run["state"], run["status"], run["trial"]) == ("finished", "FINISHED", "1")
    assert curve(task, run["id"]) == [1, 2]
    assert len(runs_of(task)) == 2


def test_trial_that_another_worker_took_is_left_to_it(make_task: MakeTask) -> None:
    """As happens to a machine that slept: its trial was missed and runs elsewhere."""
    task = make_task()
    begin_study(task)

    class Missed(Tracker):
        def open_run(self, *words: object, **named: object) -> TrackedRun:
            change_study(task, end_elsewhere)
            return super().open_run(*words, **named)  # type: ignore[arg-type]

    lines: list[str] = []
    with storage_of(task) as storage:
        bench = bench_with(task, Missed(task.tracking))
        assert run_next(bench, join(task, storage), storage, lines.append)
    assert states_of(task) == [FAILED]
    assert lines == ["trial 0  taken by another worker: this one was silent for too long"]


def end_elsewhere(study: Study) -> None:
    study._storage.set_trial_state_values(study.trials[0]._trial_id, FAILED)


def bench_with(task: TuningTask, tracker: Tracker) -> Bench:
    known = prepare_bench(task)
    return Bench(task, tracker, known.train, known.val, known.device)


def test_worker_without_a_trial_waits_for_those_of_the_others(make_task: MakeTask) -> None:
    task = make_task()
    begin_study(task)
    lines: list[str] = []
    has_waited = threading.Event()

    def say(line: str) -> None:
        lines.append(line)
        has_waited.set()

    def finish(study: Study) -> None:
        study.tell(0, 0.5)

    with storage_of(task) as storage:
        study = join(task, storage)
        trial_id = study.trials[0]._trial_id
        storage.set_trial_state_values(trial_id, TrialState.RUNNING)
        storage.set_trial_user_attr(trial_id, "worker", "elsewhere:1")
        worker = threading.Thread(target=work, args=(task, say))
        worker.start()
        assert has_waited.wait(30)
        finish(study)
        worker.join()
    assert lines == ["waiting for the trials of other workers, to take them up if these die"]


def test_folder_of_a_trial_is_removed(make_task: MakeTask) -> None:
    task = make_task()
    begin_study(task)
    work(task, print)
    assert list(task.folder.iterdir()) == []


def test_private_test_is_neither_learnt_from_nor_judged_on(
    make_task: MakeTask, parquet_folder: Path
) -> None:
    bench = prepare_bench(make_task())
    data = load_fer2013(parquet_folder)
    assert len(bench.train) == 16
    assert images_in(bench.val) == images_in(data.val)
    assert not images_in(bench.val) & images_in(data.test)
    assert not images_in(bench.train) & images_in(data.test)


def images_in(split: Split) -> set[bytes]:
    return {image.tobytes() for image in split.images}

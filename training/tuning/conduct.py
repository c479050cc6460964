"""Tuning from its beginning to its result, by one command of however many work on the study."""

import shutil
from collections.abc import Callable

import optuna
from optuna import Study

from training.errors import TuningError
from training.registry.tracking import TrackedRun, Tracker
from training.tuning.outcome import as_experiment, as_table, best_of, count_left, write
from training.tuning.processes import interruptible, run_workers
from training.tuning.storage import opened_storage, storage_errors
from training.tuning.study import begin, parent_of, rescuer
from training.tuning.task import TuningTask
from training.tuning.worker import work


def conduct(task: TuningTask, workers: int, say: Callable[[str], None]) -> None:
    """Begin a study or go on with it, until it has all its trials; write its best recipe.

    Args:
        task: what to tune.
        workers: processes that train; one trains in this process.
        say: takes lines for people: one a trial, and the table at the end.

    Raises:
        RecipeError: the search can't be done on this recipe; nothing was begun.
        TuningError: the storage doesn't answer, the study was made with another recipe, workers
            ended before the study was done, or no trial finished.
        RegistryError: MLflow doesn't answer.
        DatasetError: the data set can't be read.
        DeviceError: the device is not on this machine.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    keys = ", ".join(one.key for one in task.space)
    tracker = Tracker(task.tracking)
    tracker.check()
    with (
        interruptible(),
        opened_storage(task.storage, task.pulse, rescuer(tracker)) as storage,
        storage_errors(task.storage),
    ):
        study = begin(task, storage, tracker)
        say(f"study {task.study}: {count_left(study)} trials to run, over {keys}")
        parent = TrackedRun(tracker, parent_of(study), is_new=False)
        try:
            if workers == 1:
                work(task, say)
            else:
                run_workers(task, workers)
        finally:
            parent.close("KILLED" if count_left(study) else "FINISHED")
        _report(task, study, parent, say)


def _report(task: TuningTask, study: Study, parent: TrackedRun, say: Callable[[str], None]) -> None:
    say(f"\n{as_table(study)}")
    if left := count_left(study):
        raise TuningError(
            f"study {task.study}: its workers ended with {left} trials left to run. The same "
            "command goes on"
        )
    shutil.rmtree(task.folder, ignore_errors=True)
    best = best_of(study)
    text = as_experiment(task.experiment, best)
    write(text, task.result)
    parent.log_figures({"best_val_accuracy": best.values[0]})
    parent.describe({}, {"best_trial": str(best.number)})
    parent.log_text(task.result.name, text)

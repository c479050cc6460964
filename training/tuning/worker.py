"""A worker's part: takes one waiting trial after the other, until none is left."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import optuna
from optuna import Study
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from training.data.dataset import without_leaks
from training.data.fer2013 import load_fer2013
from training.fitting.device import use_device
from training.registry.tracking import Tracker
from training.tuning.objective import Bench, Objective
from training.tuning.storage import alone, opened_storage, storage_errors
from training.tuning.study import OPEN_STATES, join, reclaim, rescuer
from training.tuning.task import TuningTask

# Between two looks at what the other workers have left.
_LOOK_SECONDS = 2.0

Say = Callable[[str], None]


def work(task: TuningTask, say: Say) -> None:
    """Work on a study that has begun until none of its trials is waiting or running.

    Args:
        task: what to tune.
        say: takes a line for people, one a trial.

    Raises:
        TuningError: the storage doesn't answer.
        RegistryError: MLflow doesn't answer; the trial that ran is waiting again.
        DatasetError: the data set can't be read.
        DeviceError: the device is not on this machine.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    bench = prepare_bench(task)
    with (
        opened_storage(task.storage, task.pulse, rescuer(bench.tracker)) as storage,
        storage_errors(task.storage),
    ):
        study = join(task, storage)
        says_waiting = True
        while study.get_trials(deepcopy=False, states=OPEN_STATES):
            if run_next(bench, study, storage, say):
                continue
            if says_waiting:
                say("waiting for the trials of other workers, to take them up if these die")
            says_waiting = False
            time.sleep(_LOOK_SECONDS)


def prepare_bench(task: TuningTask) -> Bench:
    """Read the data, and find the device and MLflow.

    Of PrivateTest only the pixels are looked at, to drop its copies from the training images;
    PublicTest alone judges.
    """
    device = use_device(task.device, task.threads)
    recipe = task.experiment.train
    data = load_fer2013(task.source, recipe.framing)
    train, val = without_leaks(data).first(recipe.limit), data.val.first(recipe.limit)
    return Bench(task, Tracker(task.tracking), train, val, device)


def run_next(bench: Bench, study: Study, storage: RDBStorage, say: Say) -> bool:
    """Run the trial that waits longest, if any, and return whether there was one."""
    with ExitStack() as turn:
        turn.enter_context(alone(bench.task.storage))
        reclaim(study, storage)
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if not waiting:
            return False
        number = waiting[0].number
        study.sampler = _sampler(bench.task.experiment.train.seed, number)
        objective = Objective(bench, turn.close)
        try:
            # Torch's errors: this trial's values are too much for the memory, say, and the next
            # one's may not be.
            study.optimize(objective, n_trials=1, catch=(RuntimeError, ValueError))
        except ValueError:
            # Optuna says so of a trial that somebody else has ended.
            if objective.end is None:
                raise
            objective.end = "lost"
        finally:
            if objective.end is None:
                objective.give_back(study, number)
        say(_line(study.trials[number], objective))
    return True


def _sampler(seed: int, number: int) -> TPESampler:
    """Return a sampler whose draws depend on the recipe's seed, the trial and the study so far.

    A seed a trial, and not a worker: so two workers never draw the same, and neither does one
    that was started again.
    """
    return TPESampler(seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))


def _line(trial: FrozenTrial, objective: Objective) -> str:
    values = "  ".join(f"{key} {value:.4g}" for key, value in trial.params.items())
    if objective.end == "lost":
        return f"trial {trial.number}  taken by another worker: this one was silent for too long"
    return (
        f"trial {trial.number}  {objective.end}  val accuracy {objective.accuracy:.2%}  "
        f"after {len(trial.intermediate_values)} epochs  {values}"
    )

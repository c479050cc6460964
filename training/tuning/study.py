"""A study: begun once, whoever comes first, and joined by every other worker.

A study holds as many trials as were asked for from its beginning, so that workers can't start
one too many: those that nobody works on are waiting. The first has the recipe's own values, so
that tuning never ends below where it began.
"""

import warnings
from collections.abc import Callable

import optuna
from optuna import Study
from optuna.pruners import MedianPruner
from optuna.storages import RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState, create_trial

from training.errors import TuningError
from training.experiment import with_defaults
from training.registry.tracking import TrackedRun, Tracker, flattened
from training.tuning.storage import alone
from training.tuning.task import TuningTask

# Attributes of a study in the storage.
_PARENT = "mlflow_run"
_MADE_WITH = "made_with"
# Attributes of a trial.
RUN = "mlflow_run"
WORKER = "worker"
_ATTEMPT = "attempt"
_MOST_ATTEMPTS = 3
OPEN_STATES = (TrialState.WAITING, TrialState.RUNNING)


def begin(task: TuningTask, storage: RDBStorage, tracker: Tracker) -> Study:
    """Make the study if it is new, its parent run in MLflow, and the trials that are missing.

    Raises:
        TuningError: the study was made with another recipe or another search.
        RegistryError: MLflow doesn't answer, or doesn't know the study's run.
    """
    with alone(task.storage):
        study = optuna.create_study(
            storage=storage, study_name=task.study, direction="maximize", load_if_exists=True
        )
        _check_origin(task, study)
        parent = tracker.open_run(
            task.name,
            f"tune {task.study}",
            parameters={
                **flattened(task.experiment.train),
                **{f"tune.{key}": text for key, text in flattened(task.experiment.tune).items()},
            },
            tags={"study": task.study},
            run_id=study.user_attrs.get(_PARENT),
        )
        study.set_user_attr(_PARENT, parent.run_id)
        if not study.get_trials(deepcopy=False):
            study.enqueue_trial({one.key: one.own for one in task.space})
        states = [trial.state for trial in study.get_trials(deepcopy=False)]
        for _ in range(task.trials - len(states) + states.count(TrialState.FAIL)):
            study.enqueue_trial({})
    return study


def join(task: TuningTask, storage: RDBStorage) -> Study:
    """Return a study that has begun, with the pruner that all its workers use."""
    # The first quarter of a run says little: small images, a high learning rate.
    pruner = MedianPruner(n_startup_trials=4, n_warmup_steps=task.experiment.train.epochs // 4)
    return optuna.load_study(study_name=task.study, storage=storage, pruner=pruner)


def parent_of(study: Study) -> str:
    """Return the id of the study's run in MLflow."""
    return str(study.user_attrs[_PARENT])


def reclaim(study: Study, storage: RDBStorage) -> None:
    """Let the trials of dead workers wait again; only for who is ``alone``."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if WORKER not in trial.user_attrs:
            # Its worker died between taking it and its first sign of life. Optuna misses only
            # workers that gave one, so one is given in its name, once.
            place = storage.get_study_id_from_name(study.study_name), trial.number
            trial_id = storage.get_trial_id_from_study_id_trial_number(*place)
            storage.record_heartbeat(trial_id)
            storage.set_trial_user_attr(trial_id, WORKER, "dead")
    with warnings.catch_warnings(action="ignore"):
        fail_stale_trials(study)


def wait_again(study: Study, trial: FrozenTrial) -> None:
    """Put a trial that was given up back among the waiting, with all that was drawn for it."""
    attributes = {key: value for key, value in trial.user_attrs.items() if key != WORKER}
    study.add_trial(
        create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=attributes,
            system_attrs=trial.system_attrs,
        )
    )


def rescuer(tracker: Tracker) -> Callable[[Study, FrozenTrial], None]:
    """Return what is done with a dead worker's trial: it has three attempts in all."""

    def rescue(study: Study, trial: FrozenTrial) -> None:
        attempt = trial.user_attrs.get(_ATTEMPT, 1)
        is_hopeless = attempt >= _MOST_ATTEMPTS
        if run_id := trial.user_attrs.get(RUN):
            run = TrackedRun(tracker, run_id, is_new=False)
            run.close("FAILED" if is_hopeless else "KILLED")
        if not is_hopeless:
            trial.user_attrs = {**trial.user_attrs, _ATTEMPT: attempt + 1}
            wait_again(study, trial)

    return rescue


def _check_origin(task: TuningTask, study: Study) -> None:
    wanted = {
        "train": task.experiment.train.model_dump(mode="json"),
        "search": task.experiment.tune.model_dump(mode="json")["search"],
    }
    known = study.user_attrs.get(_MADE_WITH)
    if known is None:
        study.set_user_attr(_MADE_WITH, wanted)
        return
    known = {**known, "train": with_defaults({"train": known.get("train", {})})["train"]}
    if known != wanted:
        parts = " and ".join(part for part in wanted if wanted[part] != known.get(part))
        raise TuningError(
            f"study {task.study}: made with another {parts}, so its trials can't be compared. Give "
            "--study another name"
        )

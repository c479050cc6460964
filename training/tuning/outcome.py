"""What a study came to: a table for people, and the best recipe as an experiment file."""

from pathlib import Path

import yaml
from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from training.errors import TuningError
from training.experiment import Experiment
from training.tuning.space import recipe_with
from training.whole_files import write_whole

_MOST_ROWS = 10
_STATES = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned"}


def best_of(study: Study) -> FrozenTrial:
    """Return the finished trial with the highest val accuracy.

    Raises:
        TuningError: no trial has finished.
    """
    ranked = _ranked(study)
    if not ranked or ranked[0].state is not TrialState.COMPLETE:
        raise TuningError(
            f"study {study.study_name}: no trial has finished; MLflow has the reasons"
        )
    return ranked[0]


def as_table(study: Study) -> str:
    """Return the best trials, one a line, the best first; pruned ones after those that finished.

    Accuracies are those of the best epoch on val.
    """
    keys = sorted({key for trial in study.trials for key in trial.params})
    rows = [["trial", "state", "val accuracy", "epochs", *keys]]
    for trial in _ranked(study)[:_MOST_ROWS]:
        values = [f"{trial.params[key]:.4g}" if key in trial.params else "" for key in keys]
        epochs = str(len(trial.intermediate_values))
        state = _STATES[trial.state]
        rows.append([str(trial.number), state, f"{_accuracy(trial):.2%}", epochs, *values])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def count_left(study: Study) -> int:
    """Count the trials that are waiting or running."""
    return sum(not trial.state.is_finished() for trial in study.get_trials(deepcopy=False))


def as_experiment(experiment: Experiment, best: FrozenTrial) -> str:
    """Return an experiment file: the differences of what was tuned, with a trial's values."""
    recipe = recipe_with(experiment.train, best.params)
    content = experiment.model_copy(update={"train": recipe})
    text = yaml.safe_dump(content.model_dump(mode="json", exclude_defaults=True), sort_keys=False)
    return f"# Trial {best.number}: {_accuracy(best):.2%} on val.\n{text}"


def write(text: str, path: Path) -> None:
    """Write a file atomically; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)


def _ranked(study: Study) -> list[FrozenTrial]:
    known = [trial for trial in study.trials if trial.state in _STATES]
    return sorted(
        known,
        key=lambda trial: (trial.state is TrialState.COMPLETE, _accuracy(trial), -trial.number),
        reverse=True,
    )


def _accuracy(trial: FrozenTrial) -> float:
    return max(trial.intermediate_values.values(), default=0.0)

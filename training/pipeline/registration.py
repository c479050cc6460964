"""Registers a run's candidate by hand: a pipeline's that was cut off, or one of `train` alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from training.errors import CheckpointError
from training.export.candidate import Precision, read_candidate
from training.fitting.checkpoint import read_history, read_recipe
from training.pipeline.place import Place, read_account
from training.pipeline.stages import opened_run
from training.registry.tracking import Tracker, flattened
from training.registry.versions import Registry, Version

_KEY = "registered.json"


def register_run(tracker: Tracker, folder: Path) -> Mapping[Precision, Version]:
    """Register both files of a run's candidate; a run that was registered stays as it is.

    A pipeline's folder goes on with the pipeline's run in MLflow; a folder of ``train`` gets a
    run of its own, with its recipe and its curves.

    Args:
        tracker: the MLflow to register in.
        folder: a run's, with ``candidate/`` in it.

    Raises:
        CandidateError: the run has no complete candidate.
        CheckpointError: the folder holds no training run, or a damaged one.
        PipelineError: the pipeline's account of itself is damaged.
        RegistryError: MLflow doesn't answer.
    """
    # All that may be damaged is read before anything is registered.
    recipe, account = read_recipe(folder), read_account(folder)
    history = read_history(folder)
    candidate = read_candidate(folder / "candidate")
    key = _key_of(folder) if account is None else account.key
    place = Place(folder, key, resumed=True)
    name = folder.name if account is None else folder.parent.name
    parameters = {f"train.{key}": value for key, value in flattened(recipe).items()}
    with opened_run(tracker, name, parameters, place, {}) as run:
        run.log_epochs(history)
        run.log_figures(candidate.figures)
        return Registry(tracker).register(candidate, run.run_id, recipe.limit)


def _key_of(folder: Path) -> str:
    """Return the key by which MLflow knows a run of ``train``; it is made once."""
    path = folder / _KEY
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["key"])
    except FileNotFoundError:
        key = uuid4().hex
        Place(folder, key, resumed=False).write(_KEY, json.dumps({"key": key}) + "\n")
        return key
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: damaged. Delete it, and the run is registered once more"
        ) from error

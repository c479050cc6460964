"""Registers a run's candidate by hand: a pipeline's that was cut off, or one of `train` alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import yaml

from training.errors import CheckpointError
from training.export.candidate import Precision, read_candidate
from training.fitting.checkpoint import read_history
from training.pipeline.place import ACCOUNT, Place
from training.pipeline.stages import opened_run
from training.recipe import Recipe
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
        CheckpointError: the folder holds no training run.
        RegistryError: MLflow doesn't answer.
    """
    candidate = read_candidate(folder / "candidate")
    recipe = _recipe_of(folder)
    place = Place(folder, _key_of(folder), resumed=True)
    name = folder.parent.name if (folder / ACCOUNT).is_file() else folder.name
    parameters = {f"train.{key}": value for key, value in flattened(recipe).items()}
    with opened_run(tracker, name, parameters, place, {}) as run:
        run.log_epochs(read_history(folder))
        run.log_figures(candidate.figures)
        return Registry(tracker).register(candidate, run.run_id, recipe.limit)


def _recipe_of(folder: Path) -> Recipe:
    path = folder / "recipe.yaml"
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: missing. The folder holds no training run") from error


def _key_of(folder: Path) -> str:
    """Return the key by which MLflow knows the run; it is made once."""
    for name in (ACCOUNT, _KEY):
        if (folder / name).is_file():
            return str(json.loads((folder / name).read_text(encoding="utf-8"))["key"])
    key = uuid4().hex
    Place(folder, key, resumed=False).write(_KEY, json.dumps({"key": key}) + "\n")
    return key

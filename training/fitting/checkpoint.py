"""A training run's folder on disk: what makes it possible to go on, and to look back.

checkpoint.pt   everything needed to go on after the last finished epoch
best.pt         the averaged weights of the best epoch so far
recipe.yaml     the recipe in full, defaults written out
history.jsonl   a line an epoch; one more where a process ended before the epoch's checkpoint
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

import torch
import yaml
from torch import Tensor

from training.errors import CheckpointError
from training.fitting.network import EmotionNetwork
from training.recipe import Recipe

_BEST = "best.pt"
_HISTORY = "history.jsonl"


class RunState(TypedDict):
    """The content of ``checkpoint.pt``: plain values, so that it loads without pickled code."""

    recipe: dict[str, object]
    network: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizer: dict[str, Any]
    next_epoch: int
    best_accuracy: float


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What one epoch came to.

    Attributes:
        epoch: zero-based.
        size: side of the training images, in pixels.
        learning_rate: of the epoch's last step.
        loss: mean over the epoch's batches, of augmented images and smoothed labels.
        val_accuracy: of the averaged weights at full size, as a fraction.
    """

    epoch: int
    size: int
    learning_rate: float
    loss: float
    val_accuracy: float


class RunFolder:
    """Reads and writes the files of one run."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        """Make the folder.

        Args:
            path: where the run lives; made if absent.
            resume: go on from the folder's checkpoint if there is one.

        Raises:
            CheckpointError: the folder holds a run already and ``resume`` is off.
        """
        self._checkpoint = path / "checkpoint.pt"
        self._best = path / _BEST
        self._recipe = path / "recipe.yaml"
        self._history = path / _HISTORY
        path.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.exists() and not resume:
            raise CheckpointError(f"{path}: holds a run. Give --resume to go on, or another folder")

    def load(self, recipe: Recipe, device: torch.device) -> RunState | None:
        """Return the last checkpoint's state, or None in a new folder.

        Raises:
            CheckpointError: the checkpoint was made with another recipe.
        """
        if not self._checkpoint.exists():
            return None
        state: RunState = torch.load(self._checkpoint, map_location=device, weights_only=True)
        # A key that is newer than the checkpoint had its default's effect.
        made_with = {**Recipe().model_dump(mode="json"), **state["recipe"]}
        wanted = recipe.model_dump(mode="json")
        if made_with != wanted:
            keys = wanted.keys() | made_with.keys()
            changed = sorted(key for key in keys if made_with.get(key) != wanted.get(key))
            raise CheckpointError(
                f"{self._checkpoint}: made with another recipe, which differs in "
                f"{', '.join(changed)}"
            )
        return state

    def write_recipe(self, recipe: Recipe) -> None:
        """Keep what the run is made with, for people; the checkpoint holds its own copy."""
        text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
        self._recipe.write_text(text, encoding="utf-8")

    def save(self, state: RunState, best: dict[str, Tensor] | None) -> None:
        """Write the checkpoint, and the best weights where they are new, each atomically."""
        if best is not None:
            _write_atomically(best, self._best)
        _write_atomically(state, self._checkpoint)

    def append_history(self, result: EpochResult) -> None:
        """Add an epoch's line."""
        with self._history.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def read_history(run: Path) -> list[EpochResult]:
    """Return the epochs of a run so far, each once, in their order; none in a new folder."""
    try:
        lines = (run / _HISTORY).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    results = (EpochResult(**json.loads(line)) for line in lines)
    return [result for _, result in sorted({one.epoch: one for one in results}.items())]


def best_weights(run: Path) -> Path:
    """Return the file with a run's best weights: a state dict of ``EmotionNetwork``.

    Raises:
        CheckpointError: the folder has none: no run, or no epoch finished.
    """
    path = run / _BEST
    if not path.is_file():
        raise CheckpointError(f"{path}: missing. Train first: an epoch must have finished")
    return path


def load_network(weights: Path) -> EmotionNetwork:
    """Return a trained network on the CPU, ready to answer.

    Raises:
        CheckpointError: the file holds something else.
    """
    network = EmotionNetwork()
    try:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except RuntimeError as error:
        raise CheckpointError(f"{weights}: not an emotion network's weights") from error
    return network.eval()


def _write_atomically(content: RunState | dict[str, Tensor], path: Path) -> None:
    draft = path.with_suffix(".tmp")
    torch.save(content, draft)
    draft.replace(path)

"""A training run's folder on disk: what makes it possible to go on, and to look back.

checkpoint.pt   everything needed to go on after the last finished epoch
best.pt         the averaged weights of the best epoch so far
answers.pt      what the recipe's teachers said when the run began, and of which faces
recipe.yaml     the recipe in full, defaults written out
history.jsonl   a line an epoch; one more where a process ended before the epoch's checkpoint, and
                half a line where it ended within one
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict, TypeVar, cast

import torch
import yaml
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from training.errors import CheckpointError
from training.fitting.network import EmotionNetwork
from training.fitting.tensor_files import read_tensors, write_tensors
from training.recipe import Recipe, in_one_line
from training.strict_yaml import read_yaml
from training.whole_files import naming, write_whole

_ANSWERS = "answers.pt"
_BEST = "best.pt"
_HISTORY = "history.jsonl"
_RECIPE = "recipe.yaml"
_LAST_KEY = "limit"


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


NetworkT = TypeVar("NetworkT", bound=nn.Module)
_EPOCH = TypeAdapter(EpochResult)


class RunFolder:
    """Reads and writes the files of one run."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        """Look at the folder; it is made when the run begins.

        Args:
            path: where the run lives, or will.
            resume: go on from the folder's checkpoint if there is one.

        Raises:
            CheckpointError: the folder holds a run already and ``resume`` is off.
        """
        self._folder = path
        self._resume = resume
        self._checkpoint = path / "checkpoint.pt"
        self._history = path / _HISTORY
        if self._checkpoint.exists() and not resume:
            raise CheckpointError(f"{path}: holds a run. Give --resume to go on, or another folder")

    def load(self, recipe: Recipe, device: torch.device) -> RunState | None:
        """Return the last checkpoint's state, or None in a new folder.

        Raises:
            CheckpointError: the checkpoint is damaged, or was made with another recipe.
        """
        if not self._checkpoint.exists():
            return None
        content: object = read_tensors(self._checkpoint, device)
        if not isinstance(content, dict) or content.keys() != RunState.__annotations__.keys():
            raise CheckpointError(
                f"{self._checkpoint}: no checkpoint. Bring it back from a copy, or delete "
                f"{self._folder} and train anew"
            )
        state = cast("RunState", content)
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

    def kept_answers(self, device: torch.device) -> object | None:
        """Return what ``keep_answers`` wrote; None where nothing is gone on with.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = self._folder / _ANSWERS
        return read_tensors(path, device) if self._resume and path.exists() else None

    def keep_answers(self, content: Mapping[str, object]) -> None:
        """Keep what teachers said, for a process that goes on; the folder is made if absent."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_tensors(self._folder / _ANSWERS, dict(content))

    def begin(self, recipe: Recipe) -> None:
        """Make the folder if it is absent, or make it ready to go on.

        The recipe is kept for people, the checkpoint holds its own copy. Half a line of the
        history is dropped: that epoch has no checkpoint, and is done again.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)
        write_whole(self._folder / _RECIPE, text)
        if self._history.exists():
            whole = _whole_lines(self._history.read_bytes())
            with self._history.open("r+b") as file:
                file.truncate(len(whole))

    def save(self, state: RunState, best: dict[str, Tensor] | None) -> None:
        """Write the checkpoint, and the best weights where they are new, each atomically."""
        if best is not None:
            write_tensors(self._folder / _BEST, best)
        write_tensors(self._checkpoint, state)

    def append_history(self, result: EpochResult) -> None:
        """Add an epoch's line."""
        with naming(self._history), self._history.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def read_history(run: Path) -> list[EpochResult]:
    """Return the epochs of a run so far, each once, in their order; none in a new folder.

    Raises:
        CheckpointError: a line is damaged.
    """
    path = run / _HISTORY
    try:
        lines = _whole_lines(path.read_bytes()).splitlines()
    except FileNotFoundError:
        return []
    epochs: dict[int, EpochResult] = {}
    for number, line in enumerate(lines, start=1):
        try:
            result = _EPOCH.validate_json(line)
        except ValidationError as error:
            raise CheckpointError(
                f"{path}: line {number} is damaged. Bring it back from a copy, or delete that "
                "line: its epoch is missing from the curves then"
            ) from error
        epochs[result.epoch] = result
    return [result for _, result in sorted(epochs.items())]


def read_recipe(run: Path) -> Recipe:
    """Return what a run was made with.

    Raises:
        CheckpointError: the folder holds no run, or its recipe is damaged.
    """
    path = run / _RECIPE
    try:
        text = path.read_text(encoding="utf-8")
        recipe = Recipe.model_validate(read_yaml(text))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: missing. The folder holds no training run") from error
    except ValidationError as error:
        raise _damaged_recipe(path, in_one_line(error)) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise _damaged_recipe(path, str(error)) from error
    # A whole one ends with its last key's line. Cut off before, a trial would pass for none.
    if f"\n{_LAST_KEY}:" not in text or not text.endswith("\n"):
        raise _damaged_recipe(path, "it is cut off")
    return recipe


def best_weights(run: Path) -> Path:
    """Return the file with a run's best weights: a state dict of its recipe's network.

    Raises:
        CheckpointError: the folder has none: no run, or no epoch finished.
    """
    path = run / _BEST
    if not path.is_file():
        raise CheckpointError(f"{path}: missing. Train first: an epoch must have finished")
    return path


def load_network(weights: Path) -> EmotionNetwork:
    """Return a trained network that can be served, on the CPU, ready to answer.

    Raises:
        CheckpointError: the file is damaged, or holds something else.
    """
    return with_weights(EmotionNetwork(), weights)


def with_weights(network: NetworkT, weights: Path) -> NetworkT:
    """Give a network on the CPU its trained weights, and return it ready to answer.

    Raises:
        CheckpointError: the file is damaged, or holds another network's weights.
    """
    try:
        network.load_state_dict(read_tensors(weights, torch.device("cpu")))
    except (RuntimeError, TypeError) as error:
        name = type(network).__name__
        raise CheckpointError(
            f"{weights}: no weights of {name}. Bring it back from a copy, or train anew"
        ) from error
    return network.eval()


def _whole_lines(history: bytes) -> bytes:
    """Leave out the half line that a process left which ended while it wrote."""
    return history[: history.rfind(b"\n") + 1]


def _damaged_recipe(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: damaged: {what}. `python -m training train --resume` with the run's --config "
        "writes it anew"
    )

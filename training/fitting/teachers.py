"""What networks that were trained before say an image shows: targets for one that learns from them.

Distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network"), at temperature 1:
the teachers were trained with smoothed labels and votes, and are unsure enough.
"""

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from training.errors import CheckpointError
from training.fitting.checkpoint import RunFolder, best_weights, read_recipe, with_weights
from training.fitting.device import autocast
from training.fitting.network import build_network
from training.recipe import Framing, Network, Recipe

_BATCH = 256


def answers_for(recipe: Recipe, images: Tensor, folder: RunFolder, *, has_begun: bool) -> Tensor:
    """Return what a run's teachers say: as they said when it began, or asked now, and kept.

    Args:
        recipe: of the run.
        images: as in ``answers_of``.
        folder: the run's.
        has_begun: an epoch of the run is done, so its answers must be in the folder.

    Raises:
        CheckpointError: as ``answers_of``; or the answers kept are gone, or of other images.
    """
    about = {
        "faces": hashlib.sha256(images.cpu().numpy().tobytes()).hexdigest(),
        "teachers": [str(teacher) for teacher in recipe.teachers],
    }
    kept = folder.kept_answers(images.device)
    if isinstance(kept, dict) and all(kept.get(key) == value for key, value in about.items()):
        answers: Tensor = kept["answers"]
        return answers
    if has_begun:
        raise CheckpointError(
            "answers.pt, what the run's teachers said, is missing, or of other faces, or of the "
            "same in another order. Give the --data that the run began with, bring the file back "
            "from a copy, or train anew in another folder"
        )
    answers = answers_of(recipe, images)
    folder.keep_answers({**about, "answers": answers})
    return answers


def answers_of(recipe: Recipe, images: Tensor) -> Tensor:
    """Return the mean answer of a recipe's teachers to each image and its mirror image.

    They are asked about the images before any random change, with a progress bar. 28,000 faces take
    seconds on a GPU; on one core of a CPU a fine network takes about 7 minutes in bf16, 20 in fp32.

    Args:
        recipe: names the teachers, and how images are framed.
        images: uint8 [n, 1, h, w], grey, framed so.

    Returns:
        Probabilities, float32 [n, 7], on the device of ``images``.

    Raises:
        CheckpointError: a folder holds no run, or a damaged one, or one that learned from another
            framing.
    """
    teachers = [_teacher(folder, recipe.framing).to(images.device) for folder in recipe.teachers]
    rows: list[Tensor] = []
    starts = range(0, len(images), _BATCH)
    with torch.inference_mode(), autocast(images.device, recipe):
        for start in tqdm(starts, desc="asking the teachers", unit="batch"):
            batch = images[start : start + _BATCH].float()
            views = [
                view.contiguous(memory_format=torch.channels_last)
                for view in (batch, batch.flip(3))
            ]
            answers = [teacher(view).float().softmax(1) for teacher in teachers for view in views]
            rows.append(torch.stack(answers).mean(0))
    return torch.cat(rows)


def check_teachers(recipe: Recipe) -> None:
    """Find out whether a recipe's teachers are there, before much else is done.

    Raises:
        CheckpointError: as ``answers_of``, but for damaged weights.
    """
    for folder in recipe.teachers:
        _look_at(folder, recipe.framing)


def _look_at(folder: Path, framing: Framing) -> tuple[Network, Path]:
    """Return a teacher's network and the file of its weights."""
    try:
        learned, weights = read_recipe(folder), best_weights(folder)
    except (CheckpointError, NotADirectoryError) as error:
        raise CheckpointError(
            f"train.teachers: {folder.absolute()} holds no run to learn from ({error}). Give the "
            "folder of a run, with its recipe.yaml and best.pt"
        ) from error
    if learned.framing != framing:
        raise CheckpointError(
            f"train.teachers: {folder} learned from {learned.framing} faces, so it can't teach "
            f"from {framing} ones. Give runs with the framing of this recipe"
        )
    return learned.network, weights


def _teacher(folder: Path, framing: Framing) -> nn.Module:
    name, weights = _look_at(folder, framing)
    try:
        network = with_weights(build_network(name), weights)
    except CheckpointError as error:
        raise CheckpointError(
            f"train.teachers: {weights} is damaged, or of another network than the recipe beside "
            "it says. Bring it back from a copy, or name another run"
        ) from error
    return network.to(memory_format=torch.channels_last)

"""What networks that were trained before say an image shows: targets for one that learns from them.

Distillation (Hinton et al. 2015, "Distilling the Knowledge in a Neural Network"), at temperature 1:
the teachers were trained with smoothed labels and votes, and are unsure enough.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from training.errors import CheckpointError
from training.fitting.checkpoint import best_weights, read_recipe, with_weights
from training.fitting.network import build_network
from training.recipe import Framing, Network, Recipe

_BATCH = 256


def answers_of(recipe: Recipe, images: Tensor) -> Tensor:
    """Return the mean answer of a recipe's teachers to each image and its mirror image.

    They are asked about the images before any random change, with a progress bar: a fine network
    on 28,000 faces takes minutes on a CPU, seconds on a GPU.

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
    enabled = recipe.precision == "bf16"
    rows: list[Tensor] = []
    starts = range(0, len(images), _BATCH)
    with (
        torch.inference_mode(),
        torch.autocast(images.device.type, torch.bfloat16, enabled=enabled),
    ):
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
    network = with_weights(build_network(name), weights)
    return network.to(memory_format=torch.channels_last)

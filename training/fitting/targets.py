"""What a network is to answer for each image: class probabilities, from labels and votes."""

import torch
from torch import Tensor
from torch.nn import functional

from emotion.labels import EMOTIONS
from training.data.dataset import Split
from training.errors import DatasetError
from training.recipe import Recipe


def targets_of(split: Split, recipe: Recipe) -> Tensor:
    """Return the class probabilities to learn.

    A share of each target is what FER+'s taggers voted (Barsoum et al. 2016, "Training Deep
    Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution"), the rest is
    the label; then a share is spread evenly (label smoothing, Szegedy et al. 2016). Where nobody
    voted for one of the seven emotions, the label counts alone.

    Args:
        split: what is learned from.
        recipe: gives both shares.

    Returns:
        float32 [n, 7], rows that sum to one.

    Raises:
        DatasetError: votes are wanted, and the data has none.
    """
    classes = len(EMOTIONS)
    targets = functional.one_hot(torch.from_numpy(split.labels), classes).float()
    if recipe.votes:
        if split.votes is None:
            raise DatasetError(f"{split.name}: no FER+ votes. Set 'votes' to 0 to do without")
        votes = torch.from_numpy(split.votes[:, :classes]).float()
        cast = votes.sum(dim=1, keepdim=True)
        voted = torch.where(cast > 0, votes / cast.clamp(min=1), targets)
        targets = torch.lerp(targets, voted, recipe.votes)
    return targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes

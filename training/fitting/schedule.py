"""The learning rate over a run: a linear warm-up, then half a cosine down to zero."""

import math

from training.recipe import Recipe

# The warm-up starts at a hundredth of an epoch, so that the very first step moves too.
_FIRST_STEP = 0.01


def learning_rate_at(recipe: Recipe, epoch: float) -> float:
    """Return the rate at a point in time, measured in epochs since the start.

    The cosine is "SGDR" without restarts (Loshchilov and Hutter 2017).

    Args:
        recipe: peak rate, length of the warm-up, length of the run.
        epoch: may lie between two epochs; past the end the rate stays zero.
    """
    if epoch < recipe.warmup_epochs:
        return recipe.learning_rate * (epoch + _FIRST_STEP) / (recipe.warmup_epochs + _FIRST_STEP)
    done = (epoch - recipe.warmup_epochs) / max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

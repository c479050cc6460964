"""Random changes of a whole batch at once, as tensor operations.

Geometry (turn, size, shift, flip) is one affine warp per image that also sets the output
size, so a smaller training size costs no extra pass. Angles, factors and patches are drawn
from the generator that is passed in: the same generator state gives the same batch.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.recipe import AugmentationRecipe

_FLIPPED = 0.5  # share of mirrored images: a face and its mirror image are equally likely


def augment(
    pixels: Tensor, size: int, recipe: AugmentationRecipe, generator: torch.Generator
) -> Tensor:
    """Return randomly changed copies of a batch.

    Args:
        pixels: uint8 [n, 1, h, w], grey, 0 to 255.
        size: side of the square output, in pixels.
        recipe: strengths.
        generator: source of randomness, on the device of ``pixels``.

    Returns:
        float32 [n, 1, size, size], 0 to 255.
    """
    batch = pixels.float()
    batch = _warp(batch, size, recipe, generator)
    batch = _relight(batch, recipe, generator)
    return _erase(batch, recipe.erasing, generator)


def mix(
    pixels: Tensor, targets: Tensor, recipe: AugmentationRecipe, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mix a batch with a shuffled copy of itself (mixup, Zhang et al. 2018).

    Args:
        pixels: float [n, 1, h, w].
        targets: class probabilities, float [n, 7].
        recipe: share of batches mixed, and the Beta distribution's parameter.
        generator: source of randomness.

    Returns:
        Both, unchanged for the batches that are not drawn.
    """
    if float(_uniform(1, generator)) >= recipe.mixup:
        return pixels, targets
    # Two gammas make one Beta(a, a) draw. torch's public distributions take no generator.
    shape = torch.full((2,), recipe.mixup_alpha, device=generator.device)
    gammas = torch._standard_gamma(shape, generator=generator)
    weight = float(gammas[0] / gammas.sum())
    order = torch.randperm(len(pixels), generator=generator, device=pixels.device)
    return torch.lerp(pixels[order], pixels, weight), torch.lerp(targets[order], targets, weight)


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=generator.device)


def _spread(count: int, strength: float, generator: torch.Generator) -> Tensor:
    """Draw ``count`` numbers evenly from -strength to strength."""
    return (_uniform(count, generator) * 2 - 1) * strength


def _warp(
    batch: Tensor, size: int, recipe: AugmentationRecipe, generator: torch.Generator
) -> Tensor:
    count = len(batch)
    angle = _spread(count, math.radians(recipe.rotation), generator)
    zoom = 1 / (1 + _spread(count, recipe.scale, generator))
    flip = 1.0 - 2.0 * (_uniform(count, generator) < _FLIPPED)
    # Output coordinates run from -1 to 1: a shift of one side is a distance of 2.
    shift = torch.stack([_spread(count, 2 * recipe.shift, generator) for _ in "xy"], dim=1)
    cos, sin = zoom * torch.cos(angle), zoom * torch.sin(angle)
    rows = torch.stack([torch.stack([cos * flip, -sin], 1), torch.stack([sin * flip, cos], 1)], 1)
    theta = torch.cat([rows, shift.unsqueeze(2)], dim=2)
    grid = functional.affine_grid(theta, [count, 1, size, size], align_corners=False)
    # Bilinear would leave faces softer than served ones are. Bicubic may overshoot.
    return functional.grid_sample(
        batch, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    ).clamp_(0, 255)


def _relight(batch: Tensor, recipe: AugmentationRecipe, generator: torch.Generator) -> Tensor:
    shape = (len(batch), 1, 1, 1)
    mean = batch.mean(dim=(1, 2, 3), keepdim=True)
    contrast = 1 + _spread(len(batch), recipe.contrast, generator).view(shape)
    brightness = _spread(len(batch), recipe.brightness * 255, generator).view(shape)
    return ((batch - mean) * contrast + mean + brightness).clamp_(0, 255)


def _erase(batch: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Fill a random patch of some images with noise (random erasing, Zhong et al. 2017)."""
    count, _, height, width = batch.shape
    area = 0.02 + 0.18 * _uniform(count, generator)
    aspect = torch.exp(_spread(count, math.log(3.0), generator))
    tall, wide = (area * aspect).sqrt(), (area / aspect).sqrt()
    top = _uniform(count, generator) * (1 - tall).clamp(min=0)
    left = _uniform(count, generator) * (1 - wide).clamp(min=0)
    drawn = _uniform(count, generator) < share
    y = (torch.arange(height, device=batch.device) + 0.5) / height
    x = (torch.arange(width, device=batch.device) + 0.5) / width
    in_rows = (y >= top.unsqueeze(1)) & (y < (top + tall).unsqueeze(1))
    in_columns = (x >= left.unsqueeze(1)) & (x < (left + wide).unsqueeze(1))
    patch = in_rows.unsqueeze(2) & in_columns.unsqueeze(1) & drawn.view(-1, 1, 1)
    noise = torch.rand(batch.shape, generator=generator, device=batch.device) * 255
    return torch.where(patch.unsqueeze(1), noise, batch)

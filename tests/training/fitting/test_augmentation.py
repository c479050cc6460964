import pytest
import torch
from torch import Tensor

from training.data.dataset import Fer2013
from training.fitting.augmentation import augment, mix
from training.recipe import AugmentationRecipe

STRONG = AugmentationRecipe(rotation=30, scale=0.3, shift=0.2, contrast=0.9, brightness=0.9)
NONE = AugmentationRecipe(rotation=0, scale=0, shift=0, contrast=0, brightness=0, erasing=0)


@pytest.fixture
def faces(drawn: Fer2013) -> Tensor:
    return torch.from_numpy(drawn.train.images).unsqueeze(1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_same_seed_gives_the_same_batch(faces: Tensor) -> None:
    assert torch.equal(augment(faces, 40, STRONG, seeded(1)), augment(faces, 40, STRONG, seeded(1)))


def test_other_seed_gives_another_batch(faces: Tensor) -> None:
    assert not torch.equal(
        augment(faces, 40, STRONG, seeded(1)), augment(faces, 40, STRONG, seeded(2))
    )


@pytest.mark.parametrize("size", [32, 48, 64])
def test_output_has_the_size_asked_for(faces: Tensor, size: int) -> None:
    batch = augment(faces, size, STRONG, seeded(1))
    assert batch.shape == (28, 1, size, size)
    assert batch.dtype == torch.float32


def test_pixels_stay_between_0_and_255(faces: Tensor) -> None:
    batch = augment(faces, 48, STRONG, seeded(1))
    assert float(batch.min()) >= 0
    assert float(batch.max()) <= 255


def test_without_strengths_each_face_is_itself_or_its_mirror_image(faces: Tensor) -> None:
    batch = augment(faces, 48, NONE, seeded(1))
    original = faces.float()
    kept = (batch - original).abs().amax(dim=(1, 2, 3)) < 0.05
    mirrored = (batch - original.flip(3)).abs().amax(dim=(1, 2, 3)) < 0.05
    assert bool((kept | mirrored).all())
    assert 0 < int(kept.sum()) < len(faces)


def test_input_is_left_as_it_was(faces: Tensor) -> None:
    before = faces.clone()
    augment(faces, 48, STRONG, seeded(1))
    assert torch.equal(faces, before)


def test_erasing_leaves_the_share_that_is_not_drawn_alone(faces: Tensor) -> None:
    untouched = augment(faces, 48, NONE, seeded(1))
    erased = augment(faces, 48, NONE.model_copy(update={"erasing": 1.0}), seeded(1))
    changed = (untouched != erased).flatten(1).float().mean(dim=1)
    assert bool((changed > 0).all())
    assert bool((changed < 0.4).all())


def test_shift_of_half_a_side_moves_the_picture_by_at_most_that() -> None:
    recipe = NONE.model_copy(update={"shift": 0.25})
    dot = torch.zeros(64, 1, 48, 48, dtype=torch.uint8)
    dot[:, 0, 24, 24] = 255
    moved = augment(dot, 48, recipe, seeded(3)).squeeze(1)
    columns = moved.sum(dim=1).argmax(dim=1)
    assert 24 - 13 <= int(columns.min()) < 24 < int(columns.max()) <= 24 + 13


def test_batch_is_not_mixed_when_mixup_is_off(faces: Tensor) -> None:
    pixels, targets = faces.float(), torch.eye(7).repeat(4, 1)
    mixed = mix(pixels, targets, AugmentationRecipe(mixup=0), seeded(1))
    assert mixed[0] is pixels
    assert mixed[1] is targets


def test_mixed_targets_are_probabilities(faces: Tensor) -> None:
    targets = torch.eye(7).repeat(4, 1)
    _, mixed = mix(faces.float(), targets, AugmentationRecipe(mixup=1), seeded(1))
    assert not torch.equal(mixed, targets)
    torch.testing.assert_close(mixed.sum(dim=1), torch.ones(28))


def test_pixels_and_targets_are_mixed_with_the_same_weight() -> None:
    pixels = torch.arange(7.0).view(7, 1, 1, 1).expand(7, 1, 2, 2)
    mixed, targets = mix(pixels, torch.eye(7), AugmentationRecipe(mixup=1), seeded(1))
    torch.testing.assert_close(mixed[:, 0, 0, 0], targets @ torch.arange(7.0))

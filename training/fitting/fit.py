"""The training run: epochs over the training split, the best one on val kept.

A run that was cut off anywhere goes on from its last finished epoch and gives what it
would have given on such a processor: randomness depends on the recipe's seed and the epoch alone.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from training.data.dataset import Split
from training.fitting.augmentation import augment, mix
from training.fitting.checkpoint import EpochResult, RunFolder
from training.fitting.device import computes_in_bf16
from training.fitting.run import Run
from training.fitting.schedule import learning_rate_at
from training.fitting.targets import targets_of
from training.fitting.teachers import answers_for
from training.recipe import Recipe

_VAL_BATCH = 256
_STATISTICS = 512  # Images.
# Primes that keep the streams of neighbouring seeds and epochs apart.
_AUGMENTATION_STREAM = 7919
_DROPOUT_SPACING = 100_003
_SPACING = 1_000_003


def fit(
    recipe: Recipe, train: Split, val: Split, folder: RunFolder, device: torch.device
) -> Iterator[EpochResult]:
    """Train, or go on training, and yield each epoch's result once it is on disk.

    Args:
        recipe: how.
        train: what to learn from, without copies of val and test images, in the recipe's framing.
        val: what the best epoch is chosen on, framed alike.
        folder: where the run lives; a checkpoint in it is gone on from.
        device: where to compute.

    Raises:
        CheckpointError: the folder's checkpoint is damaged, or was made with another recipe; a
            teacher's folder holds no run that can teach this one; the data are not those that a
            taught run began with.
        DatasetError: the recipe wants votes, and there are none.
        ModelFileError: the model to begin with can't be used.
    """
    run = Run(recipe, device)
    state = folder.load(recipe, device)
    images = torch.from_numpy(train.images).unsqueeze(1).to(device)
    if state is None:
        run.warm_start(images[:_STATISTICS].float())
    else:
        run.load_state_dict(state)
    targets = targets_of(train, recipe).to(device)
    if recipe.teachers:
        answers = answers_for(recipe, images, folder, has_begun=state is not None)
        targets = torch.lerp(targets, answers, recipe.taught)
    folder.begin(recipe)
    for epoch in range(run.next_epoch, recipe.epochs):
        loss = _train_epoch(run, images, targets, epoch)
        accuracy = _val_accuracy(run, val)
        is_best = epoch == 0 or accuracy > run.best_accuracy
        run.next_epoch = epoch + 1
        run.best_accuracy = max(accuracy, run.best_accuracy)
        rate = run.optimizer.param_groups[0]["lr"]
        result = EpochResult(epoch, recipe.size_at(epoch), rate, loss, accuracy)
        # First, so that the history lacks no epoch that the checkpoint has.
        folder.append_history(result)
        folder.save(run.state_dict(), best=run.average.module.state_dict() if is_best else None)
        yield result


def _train_epoch(run: Run, images: Tensor, targets: Tensor, epoch: int) -> float:
    recipe = run.recipe
    # Two streams, so that the order of images doesn't depend on how much was augmented.
    order = torch.randperm(len(targets), generator=_stream("cpu", recipe.seed, epoch))
    generator = _stream(run.device.type, recipe.seed + _AUGMENTATION_STREAM, epoch)
    torch.manual_seed(recipe.seed * _DROPOUT_SPACING + epoch)
    run.network.train()
    size = recipe.size_at(epoch)
    steps = len(targets) // recipe.batch_size or 1
    losses = torch.zeros(steps)
    precision = "bf16" if computes_in_bf16(run.device, recipe) else "fp32"
    title = f"epoch {epoch + 1}/{recipe.epochs} at {size} px in {precision}"
    progress = tqdm(range(steps), desc=title, unit="batch")
    for step in progress:
        rows = order[step * recipe.batch_size : (step + 1) * recipe.batch_size].to(run.device)
        pixels = augment(images[rows], size, recipe.augmentation, generator)
        pixels, wanted = mix(pixels, targets[rows], recipe.augmentation, generator)
        losses[step] = run.step(pixels, wanted, learning_rate_at(recipe, epoch + step / steps))
        progress.set_postfix(loss=f"{float(losses[: step + 1].mean()):.3f}", refresh=False)
    return float(losses.mean())


def _val_accuracy(run: Run, val: Split) -> float:
    """Return the averaged network's share of right answers at full size, as a fraction."""
    run.average.eval()
    right = 0
    with torch.inference_mode(), run.autocast():
        for start in range(0, len(val), _VAL_BATCH):
            part = val.select(slice(start, start + _VAL_BATCH))
            pixels = torch.from_numpy(part.images).unsqueeze(1).to(run.device)
            answers = run.average(pixels.float()).argmax(dim=1).cpu().numpy()
            right += int(np.sum(answers == part.labels))
    return right / len(val)


def _stream(device: str, seed: int, epoch: int) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed * _SPACING + epoch)

"""How good a classifier's answers are: metrics of one split, all as fractions from 0 to 1.

FER2013's own labels agree with the majority of FER+'s ten taggers on 65.6 % of the test
images, so accuracy alone has a ceiling far below 1; FER+ accuracy stands beside it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion.labels import EMOTIONS, Emotion
from training.data.dataset import Split
from training.evaluation.slices import slices_of

ECE_BINS = 15
_CLASSES = len(EMOTIONS)
_NO_MAJORITY = -1

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """How many images a slice has, and the share of right answers; None over no images."""

    images: int
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a classifier came to on one split. A figure over no images is None.

    Attributes:
        images: how many were scored.
        images_without_copies: those that equal no training image.
        images_with_majority: those on which FER+'s taggers agreed, by ``ferplus_majority``.
        accuracy: share of right answers, by FER2013's label.
        accuracy_without_copies: the same, over ``images_without_copies``.
        ferplus_accuracy: share that equals FER+'s majority, over ``images_with_majority``.
        macro_f1: mean of the classes' F1, over the classes that were shown or answered.
        ece: expected calibration error over ``ECE_BINS`` bins.
        recall: of each emotion, the share of its images that were recognised.
        confusion: 7x7 counts; a row is a label, a column an answer, both in label order.
        slices: of each hard condition, its figures; empty where the data was not prepared.
    """

    images: int
    images_without_copies: int
    images_with_majority: int
    accuracy: float
    accuracy_without_copies: float | None
    ferplus_accuracy: float | None
    macro_f1: float
    ece: float
    recall: Mapping[Emotion, float | None]
    confusion: tuple[tuple[int, ...], ...]
    slices: Mapping[str, SliceFigures]


def evaluate(probabilities: Floats, split: Split, copies: npt.NDArray[np.bool_]) -> Evaluation:
    """Judge a classifier's answers to a split.

    Args:
        probabilities: [n, 7] in label order, one row an image of the split.
        split: labels and, where the source has them, FER+ votes.
        copies: bool [n], the images that are copies of training images.
    """
    answers = probabilities.argmax(axis=1)
    right = answers == split.labels
    majority = ferplus_majority(split)
    agreed = majority != _NO_MAJORITY
    confusion = confusion_matrix(split.labels, answers)
    return Evaluation(
        images=len(split),
        images_without_copies=int(np.sum(~copies)),
        images_with_majority=int(np.sum(agreed)),
        accuracy=float(right.mean()),
        accuracy_without_copies=_share(right[~copies]),
        ferplus_accuracy=_share(answers[agreed] == majority[agreed]),
        macro_f1=macro_f1(confusion),
        ece=expected_calibration_error(probabilities.max(axis=1), right),
        recall=recall_of(confusion),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        slices={
            name: SliceFigures(int(rows.sum()), _share(right[rows]))
            for name, rows in slices_of(split).items()
        },
    )


def ferplus_majority(split: Split) -> Labels:
    """Return the emotion that most of FER+'s taggers chose for each image.

    An image counts where one of the seven emotions alone has the most votes. Left out are
    images where contempt, unknown or not-a-face (NF) wins, ties for the first place (also
    those between two emotions: there is no majority to agree with), and images without votes.

    Returns:
        int64 [n]; -1 where the image is left out, everywhere if the split has no votes.
    """
    if split.votes is None:
        return np.full(len(split), _NO_MAJORITY, dtype=np.int64)
    votes = split.votes
    winner = votes.argmax(axis=1).astype(np.int64)
    alone = np.sum(votes == votes.max(axis=1, keepdims=True), axis=1) == 1
    return np.where(alone & (winner < _CLASSES), winner, _NO_MAJORITY)


def confusion_matrix(labels: Labels, answers: Labels) -> npt.NDArray[np.int64]:
    """Count pairs of label (row) and answer (column): int64 [7, 7]."""
    pairs = np.bincount(labels * _CLASSES + answers, minlength=_CLASSES**2)
    return pairs.reshape(_CLASSES, _CLASSES)


def macro_f1(confusion: npt.NDArray[np.int64]) -> float:
    """Return the mean F1 of the classes that occur among the labels or the answers."""
    shown, answered = confusion.sum(axis=1), confusion.sum(axis=0)
    occurs = shown + answered > 0
    return float(np.mean(2 * confusion.diagonal()[occurs] / (shown + answered)[occurs]))


def recall_of(confusion: npt.NDArray[np.int64]) -> dict[Emotion, float | None]:
    """Return each emotion's share of recognised images; None for one that is not shown."""
    shown = confusion.sum(axis=1)
    return {
        emotion: float(confusion[label, label] / shown[label]) if shown[label] else None
        for label, emotion in enumerate(EMOTIONS)
    }


def expected_calibration_error(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Return the mean distance of confidence from accuracy (Naeini et al. 2015, Guo et al. 2017).

    Bins are equally wide; each closes at its upper edge, as in Guo et al.

    Args:
        confidence: float [n], the probability of each answer.
        right: bool [n], whether it was right.
    """
    bins = confidence_bins(confidence)
    surplus = np.bincount(bins, weights=confidence - right, minlength=ECE_BINS)
    return float(np.abs(surplus).sum() / len(right))


def confidence_bins(confidence: Floats) -> Labels:
    """Return the bin of each confidence, 0 to ``ECE_BINS`` - 1, all equally wide: int64 [n]."""
    edges = np.linspace(0, 1, ECE_BINS + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, ECE_BINS - 1)


def standard_error(share: float, count: int) -> float:
    """Return a share's standard error over ``count`` independent images (binomial)."""
    return math.sqrt(share * (1 - share) / count)


def _share(marks: npt.NDArray[np.bool_]) -> float | None:
    return float(marks.mean()) if len(marks) else None

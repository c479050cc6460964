"""FER2013 in memory: three splits of 48x48 grey faces, 83 MB as uint8.

    Training     28,709   what the network learns from, without the copies
    PublicTest    3,589   "val": every choice is made on it
    PrivateTest   3,589   "test": looked at once a model is chosen; each look is logged

Readers for the three forms the data set comes in live in ``training.fer2013``.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from emotion.preprocessing import CROP_SIDE
from training.errors import DatasetError

# FER+'s ten taggers choose among these (Barsoum et al. 2016); the first seven in our order.
FERPLUS_CHOICES = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
    "contempt", "unknown", "NF",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Split:
    """One split, row by row.

    Attributes:
        name: "train", "val" or "test".
        images: uint8 [n, 48, 48], grey.
        labels: int64 [n], index into ``emotion.labels.EMOTIONS``.
        votes: uint8 [n, 10], FER+ votes in the order of ``FERPLUS_CHOICES``, or None where
            the source has none; a row of zeros is an image FER+ doesn't cover.
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that don't belong together."""
        if self.images.shape[1:] != (CROP_SIDE, CROP_SIDE):
            raise DatasetError(f"{self.name}: images of shape {self.images.shape}, not [n, 48, 48]")
        if len(self.images) != len(self.labels):
            raise DatasetError(
                f"{self.name}: {len(self.images)} images but {len(self.labels)} labels"
            )
        if not len(self.images):
            raise DatasetError(f"{self.name}: no images")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.labels)

    def select(self, rows: npt.NDArray[np.bool_] | slice) -> "Split":
        """Return the chosen rows as a split of their own."""
        votes = None if self.votes is None else self.votes[rows]
        return replace(self, images=self.images[rows], labels=self.labels[rows], votes=votes)

    def first(self, count: int | None) -> "Split":
        """Return the first rows as a split of their own; all of them for None."""
        return self.select(slice(count))


@dataclass(frozen=True, slots=True)
class Fer2013:
    """The three splits, as published: copies are still inside."""

    train: Split
    val: Split
    test: Split


def copies_in(split: Split, of: Split) -> npt.NDArray[np.bool_]:
    """Mark the rows of ``split`` whose pixels equal, byte for byte, some image in ``of``.

    Returns:
        bool [len(split)].
    """
    known = {image.tobytes() for image in of.images}
    return np.array([image.tobytes() in known for image in split.images], dtype=np.bool_)


def without_leaks(data: Fer2013) -> Split:
    """Return the training split without the images that are copies of val or test images."""
    leaked = copies_in(data.train, data.val) | copies_in(data.train, data.test)
    return data.train.select(~leaked)

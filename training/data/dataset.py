"""FER2013 in memory: three splits of 48x48 grey faces, 83 MB as uint8.

    Training     28,709   what the network learns from, without the copies
    PublicTest    3,589   "val": every choice is made on it
    PrivateTest   3,589   "test": looked at once a model is chosen; each look is logged

Readers for the three forms the data set comes in live in ``training.data.fer2013``.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from emotion.preprocessing import CROP_SIDE
from training.errors import DatasetError
from training.recipe import Framing

# FER+'s ten taggers choose among these (Barsoum et al. 2016); the first seven in our order.
FERPLUS_CHOICES = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
    "contempt", "unknown", "NF",
)  # fmt: skip

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Under which conditions each image of a split was taken; measured by ``prepare``.

    What is measured on a face is NaN where the detector finds no face, or more than one.

    Attributes:
        brightness: float32 [n], mean of the pixels, 0 to 255.
        contrast: float32 [n], standard deviation of the pixels.
        sharpness: float32 [n], variance of the Laplacian; low means blurred.
        score: float32 [n], the detector's score, 0 to 1.
        landmarks: float32 [n, 5, 2], x and y in pixels of the 48x48 image.
        pose: float32 [n, 3], yaw, pitch and roll in degrees (see ``emotion.pose``).
    """

    brightness: Floats
    contrast: Floats
    sharpness: Floats
    score: Floats
    landmarks: Floats
    pose: Floats

    def select(self, rows: npt.NDArray[np.bool_] | slice) -> "Conditions":
        """Return the chosen rows."""
        return Conditions(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Split:
    """One split, row by row.

    Attributes:
        name: "train", "val" or "test".
        images: uint8 [n, 48, 48], grey.
        labels: int64 [n], index into ``emotion.labels.EMOTIONS``.
        votes: uint8 [n, 10], FER+ votes in the order of ``FERPLUS_CHOICES``, or None where
            the source has none; a row of zeros is an image FER+ doesn't cover.
        aligned: uint8 [n, 48, 48], the same faces framed as a served face is, or None where
            the data was not prepared; equals ``images`` where no single face was found.
        conditions: how the images were taken, or None where the data was not prepared.
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.uint8] | None = None
    aligned: npt.NDArray[np.uint8] | None = None
    conditions: Conditions | None = None

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
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            votes=None if self.votes is None else self.votes[rows],
            aligned=None if self.aligned is None else self.aligned[rows],
            conditions=None if self.conditions is None else self.conditions.select(rows),
        )

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


def framed(data: Fer2013, framing: Framing) -> Fer2013:
    """Return the splits with images framed as published, or as a served face is.

    Raises:
        DatasetError: aligned images are wanted, and the data was not prepared.
    """
    return Fer2013(*(_framed(split, framing) for split in (data.train, data.val, data.test)))


def as_served(split: Split) -> npt.NDArray[np.uint8]:
    """Return the faces as the service frames them, uint8 [n, 48, 48].

    Where the data was not prepared, that is as they are.
    """
    return split.images if split.aligned is None else split.aligned


def _framed(split: Split, framing: Framing) -> Split:
    if framing == "raw":
        return split
    if split.aligned is None:
        raise DatasetError(f"{split.name}: no aligned images. `python -m training prepare` first")
    return replace(split, images=split.aligned)

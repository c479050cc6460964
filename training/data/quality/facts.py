"""What is in prepared data, counted: the facts of ``report.json`` and ``report.html``."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet

from emotion.labels import EMOTIONS
from training.data.dataset import Conditions, Split
from training.data.fer2013 import load_fer2013
from training.data.prepared import LeftOut, left_out_of
from training.errors import DatasetError

_QUANTILES = {"p1": 0.01, "p5": 0.05, "median": 0.5, "p95": 0.95, "p99": 0.99}
ANGLES = ("yaw", "pitch", "roll")


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSplit:
    """A prepared split as the report looks at it.

    Attributes:
        split: images, labels and conditions.
        conditions: those of ``split``.
        names: where each image came from.
        digests: SHA-256 of each image's pixels, in hex.
        faces: int64 [n], how many faces the detector found.
        left_out: files that aren't in it.
    """

    split: Split
    conditions: Conditions
    names: list[str]
    digests: list[str]
    faces: npt.NDArray[np.int64]
    left_out: list[LeftOut]

    @property
    def name(self) -> str:
        """``train``, ``val`` or ``test``."""
        return self.split.name

    @property
    def blank(self) -> npt.NDArray[np.bool_]:
        """Which images [n] are of one grey all over."""
        blank: npt.NDArray[np.bool_] = self.conditions.contrast == 0
        return blank


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image lies: its split and its row."""

    split: str
    row: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Equal images that carry different labels."""

    places: tuple[Place, ...]
    labels: tuple[int, ...]


def read_prepared(folder: Path) -> list[PreparedSplit]:
    """Read a prepared folder's splits.

    Raises:
        DatasetError: it was not prepared.
    """
    data = load_fer2013(folder)
    return [_read(split, folder) for split in (data.train, data.val, data.test)]


def conflicts_in(splits: Sequence[PreparedSplit]) -> list[Conflict]:
    """Return the groups of equal images with different labels, over all splits; largest first."""
    places: defaultdict[str, list[tuple[Place, int]]] = defaultdict(list)
    for split in splits:
        for row, digest in enumerate(split.digests):
            places[digest].append((Place(split.name, row), int(split.split.labels[row])))
    groups = [
        Conflict(tuple(place for place, _ in group), tuple(label for _, label in group))
        for group in places.values()
        if len({label for _, label in group}) > 1
    ]
    return sorted(groups, key=lambda group: len(group.places), reverse=True)


def facts_of(splits: Sequence[PreparedSplit]) -> dict[str, object]:
    """Return all figures of the report, as ``report.json`` has them.

    Counts are of images; brightness and contrast run from 0 to 255, angles are degrees.
    """
    conflicts = conflicts_in(splits)
    return {
        "images": sum(len(split.digests) for split in splits),
        "distinct_images": len({digest for split in splits for digest in split.digests}),
        "blank_images": sum(int(split.blank.sum()) for split in splits),
        "conflicting_groups": len(conflicts),
        "conflicting_images": sum(len(group.places) for group in conflicts),
        "copies": copies_of(splits),
        "splits": {split.name: _facts_of_split(split) for split in splits},
    }


def copies_of(splits: Sequence[PreparedSplit]) -> dict[str, dict[str, int]]:
    """Count copies: ``[a][b]`` is how many images of split a equal some image of split b.

    ``[a][a]`` counts the images that equal an earlier one of the same split.
    """
    known = {split.name: set(split.digests) for split in splits}
    return {
        split.name: {
            name: len(split.digests) - len(digests)
            if name == split.name
            else sum(digest in digests for digest in split.digests)
            for name, digests in known.items()
        }
        for split in splits
    }


def faces_by_class(split: PreparedSplit) -> dict[str, dict[str, int]]:
    """Count, class by class, the images on which no face, one or several were found."""
    table = {}
    for label, emotion in enumerate(EMOTIONS):
        faces = split.faces[split.split.labels == label]
        table[emotion.value] = {
            "none": int((faces == 0).sum()),
            "one": int((faces == 1).sum()),
            "several": int((faces > 1).sum()),
        }
    return table


def _read(split: Split, folder: Path) -> PreparedSplit:
    path = folder / f"{split.name}.parquet"
    if split.conditions is None:
        raise DatasetError(f"{path}: not prepared. Run 'python -m training prepare'")
    table = pyarrow.parquet.read_table(path, columns=["name", "sha256", "faces"])
    faces = np.asarray(table["faces"].to_numpy(), dtype=np.int64)
    names, digests = ([str(text) for text in table[c].to_pylist()] for c in ("name", "sha256"))
    return PreparedSplit(split, split.conditions, names, digests, faces, left_out_of(path))


def _facts_of_split(split: PreparedSplit) -> dict[str, object]:
    counts = Counter(split.split.labels.tolist())
    conditions = split.conditions
    return {
        "images": len(split.digests),
        "by_class": {emotion.value: counts[label] for label, emotion in enumerate(EMOTIONS)},
        "blank_images": int(split.blank.sum()),
        "faces_by_class": faces_by_class(split),
        "brightness": _quantiles(conditions.brightness),
        "contrast": _quantiles(conditions.contrast),
        "sharpness": _quantiles(conditions.sharpness),
        "score": _quantiles(conditions.score),
        **{angle: _quantiles(conditions.pose[:, axis]) for axis, angle in enumerate(ANGLES)},
        "left_out": [{"name": item.name, "reason": item.reason} for item in split.left_out],
    }


def _quantiles(values: npt.NDArray[np.float32]) -> dict[str, float] | None:
    """Return some quantiles of what was measured; None where nothing was."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    points = np.quantile(known, list(_QUANTILES.values()))
    return {name: round(float(point), 3) for name, point in zip(_QUANTILES, points, strict=True)}

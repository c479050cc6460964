"""What there is to prepare: FER2013's faces, or photos of any size, as one list a split."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from emotion.errors import InputError
from emotion.image import open_header
from emotion.preprocessing import CROP_SIDE
from training.data.conditions import LIMITS, Look, look_at_crop, look_at_photo
from training.data.dataset import Split
from training.data.fer2013 import SPLITS, is_tree, load_fer2013, tree_files
from training.data.finders import FaceFinder
from training.data.prepared import LeftOut, Row, read_rows, seen_by_of
from training.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image to look at.

    Attributes:
        name: where it comes from, for people.
        label: index into ``emotion.labels.EMOTIONS``.
        content: a face uint8 [48, 48], an image file, or what was seen of it already.
        votes: uint8 [10], FER+ votes, or None.
    """

    name: str
    label: int
    content: npt.NDArray[np.uint8] | Path | Look
    votes: npt.NDArray[np.uint8] | None = None

    def look(self, finder: FaceFinder) -> Row | LeftOut:
        """Look at it. A photo that can't be used, or shows no face, is left out."""
        if isinstance(self.content, Look):
            return self._row(self.content)
        if isinstance(self.content, Path):
            return self._look_at_file(self.content, finder)
        return self._row(look_at_crop(self.content, finder))

    def _look_at_file(self, path: Path, finder: FaceFinder) -> Row | LeftOut:
        try:
            if path.stat().st_size > LIMITS.max_bytes:
                return LeftOut(self.name, f"larger than {LIMITS.max_bytes:,} bytes")
            data = path.read_bytes()
            with open_header(data, LIMITS) as header:
                is_crop = header.size == (CROP_SIDE, CROP_SIDE)
            look = self._look_at_small(data, finder) if is_crop else look_at_photo(data, finder)
        except InputError as error:
            return LeftOut(self.name, error.message)
        except OSError as error:
            return LeftOut(self.name, error.strerror or "can't be read")
        return LeftOut(self.name, "no face found") if look is None else self._row(look)

    def _look_at_small(self, data: bytes, finder: FaceFinder) -> Look | None:
        """Look at a file of FER2013, decoded as ``load_fer2013`` decodes it."""
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None or image.shape != (CROP_SIDE, CROP_SIDE):
            return look_at_photo(data, finder)
        return look_at_crop(image.astype(np.uint8, copy=False), finder)

    def _row(self, look: Look) -> Row:
        return Row(self.name, self.label, self.votes, look)


def read_samples(
    source: Path, limit: int | None, seen_by: str | None = None
) -> dict[str, list[Sample]]:
    """List what a local source holds, split by split.

    Args:
        source: any form that ``load_fer2013`` reads; the files of a tree may be photos of any
            size, of any kind that the service accepts.
        limit: take the first so many of each split; all for None.
        seen_by: who is to look at the faces; where the source is prepared data that the very
            same looked at, what was seen is taken as it is.

    Raises:
        DatasetError: as ``load_fer2013``.
    """
    if is_tree(source):
        return {name: _in_tree(source, name)[:limit] for name in SPLITS}
    data = load_fer2013(source)
    tables = {name: source / f"{name}.parquet" for name in SPLITS}
    if seen_by is not None and all(seen_by_of(path) == seen_by for path in tables.values()):
        return {name: _in_prepared(path)[:limit] for name, path in tables.items()}
    return {
        split.name: _in_split(split.first(limit)) for split in (data.train, data.val, data.test)
    }


def fingerprint(source: Path) -> str:
    """Return what changes when a source's content does.

    Files of the table forms are read whole; of a tree's files the paths, sizes and times of
    change count, since photos may be many gigabytes.

    Raises:
        DatasetError: there is nothing.
    """
    if is_tree(source):
        files = [file for name in SPLITS for file, _ in tree_files(source, name)]
        facts = [(str(file.relative_to(source)), file.stat()) for file in files]
        lines = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in facts]
        return sha256(json.dumps(lines).encode()).hexdigest()
    tables = [source] if source.is_file() else [source / f"{name}.parquet" for name in SPLITS]
    digest = sha256()
    for table in tables:
        if not table.is_file():
            raise DatasetError(
                f"{source}: no FER2013 here. Give a folder with train.parquet, val.parquet and "
                "test.parquet, Kaggle's fer2013.csv, or a folder with train/EMOTION/*.jpg"
            )
        digest.update(table.read_bytes())
    return digest.hexdigest()


def _in_tree(source: Path, name: str) -> list[Sample]:
    files = tree_files(source, name)
    return [Sample(str(file.relative_to(source)), label, file) for file, label in files]


def _in_prepared(path: Path) -> list[Sample]:
    return [Sample(row.name, row.label, row.look, row.votes) for row in read_rows(path)]


def _in_split(split: Split) -> list[Sample]:
    return [
        Sample(
            f"{split.name} {row}",
            int(split.labels[row]),
            split.images[row],
            None if split.votes is None else split.votes[row],
        )
        for row in range(len(split))
    ]

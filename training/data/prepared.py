"""Prepared data on disk: a Parquet file a split, which the FER2013 reader reads too.

image, aligned      PNG bytes, 48x48 grey (training.data.dataset.Split)
label               int8, emotion.labels
name                where the image came from: a file, or a row of the source
votes_*             uint8, FER+ votes, where the source has them
faces               how many faces the detector found
score, landmarks, pose, brightness, contrast, sharpness
                    see training.data.dataset.Conditions
sha256              of the pixels of image, in hex
copy_inside         another image of the split has the same pixels
copy_of_train       an image of the training split has (val and test)

The schema's metadata names the inputs that the file was made from, and who looked at the faces and
how; it lists what was left out.
"""

import json
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from emotion.faces import Landmarks
from training.data.conditions import Look
from training.data.dataset import FERPLUS_CHOICES, Conditions, Floats
from training.errors import DatasetError

_INPUTS = b"rapt.inputs"
_SEEN_BY = b"rapt.seen_by"
_LEFT_OUT = b"rapt.left_out"
_POINTS, _ANGLES = 10, 3


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One image of a prepared split.

    Attributes:
        name: where it came from.
        label: index into ``emotion.labels.EMOTIONS``.
        votes: uint8 [10], FER+ votes in the order of ``FERPLUS_CHOICES``, or None.
        look: what was seen.
    """

    name: str
    label: int
    votes: npt.NDArray[np.uint8] | None
    look: Look


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is in no prepared split, and why."""

    name: str
    reason: str


def write_split(
    path: Path,
    rows: Sequence[Row],
    left_out: Sequence[LeftOut],
    inputs: str,
    train: Collection[str],
    seen_by: str = "",
) -> None:
    """Write a split's file; a reader sees all of it or what was there before.

    Args:
        path: the file.
        rows: what was looked at.
        left_out: what is missing from them.
        inputs: names all that the file depends on.
        train: the training split's ``sha256``; empty when it is the one that is written.
        seen_by: names all that what is seen of a face depends on.
    """
    metadata = {
        _INPUTS: inputs,
        _SEEN_BY: seen_by,
        _LEFT_OUT: json.dumps([[item.name, item.reason] for item in left_out]),
    }
    table = pa.table(_columns(rows, train)).replace_schema_metadata(metadata)
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        pyarrow.parquet.write_table(table, file)
        file.flush()
        # What is renamed before it is on the disk may be empty after a loss of power.
        os.fsync(file.fileno())
    draft.replace(path)


def inputs_of(path: Path) -> str | None:
    """Return what a prepared file was made from; None where there is no prepared file."""
    return _named(path, _INPUTS)


def seen_by_of(path: Path) -> str | None:
    """Return who looked at a prepared file's faces, and how; None where that is not known."""
    return _named(path, _SEEN_BY) or None


def left_out_of(path: Path) -> list[LeftOut]:
    """Return what a prepared file lists as left out."""
    metadata = pyarrow.parquet.read_schema(path).metadata
    return [LeftOut(name, reason) for name, reason in json.loads(metadata[_LEFT_OUT])]


def check_whole(paths: Sequence[Path]) -> None:
    """Check that files were prepared together; files that were never prepared pass.

    Raises:
        DatasetError: they were made from different inputs.
    """
    if len({inputs_of(path) for path in paths if path.is_file()}) > 1:
        raise DatasetError(
            f"{paths[0].parent}: its splits were prepared from different inputs; "
            "run 'python -m training prepare' to its end"
        )


def is_prepared(table: pa.Table) -> bool:
    """Tell a prepared split from a plain one."""
    return _INPUTS in (table.schema.metadata or {})


def read_rows(path: Path) -> list[Row]:
    """Return a prepared file's rows, as they were when it was written.

    Raises:
        DatasetError: an image in it is none.
    """
    table = pyarrow.parquet.read_table(path)
    names, labels = table["name"].to_pylist(), table["label"].to_numpy()
    columns = [f"votes_{choice}" for choice in FERPLUS_CHOICES]
    has_votes = set(columns) <= set(table.column_names)
    votes = np.stack([table[key].to_numpy() for key in columns], axis=1) if has_votes else None
    return [
        Row(str(names[row]), int(labels[row]), None if votes is None else votes[row], look)
        for row, look in enumerate(_looks(table, path))
    ]


def read_conditions(table: pa.Table) -> Conditions:
    """Return a prepared split's conditions."""

    def floats(name: str) -> npt.NDArray[np.float32]:
        return np.asarray(table[name].to_numpy(), dtype=np.float32)

    def vectors(name: str) -> npt.NDArray[np.float32]:
        return np.asarray(pyarrow.compute.list_flatten(table[name]).to_numpy(), dtype=np.float32)

    return Conditions(
        brightness=floats("brightness"),
        contrast=floats("contrast"),
        sharpness=floats("sharpness"),
        score=floats("score"),
        landmarks=vectors("landmarks").reshape(-1, 5, 2),
        pose=vectors("pose").reshape(-1, 3),
    )


def _named(path: Path, key: bytes) -> str | None:
    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None
    value = metadata.get(key)
    return None if value is None else value.decode()


def _looks(table: pa.Table, path: Path) -> list[Look]:
    of = read_conditions(table)
    images, aligned = (_images(table[key], path) for key in ("image", "aligned"))
    return [
        Look(
            image=images[row],
            aligned=aligned[row],
            faces=int(faces),
            score=float(of.score[row]),
            landmarks=_landmarks(of.landmarks[row]),
            pose=(float(of.pose[row, 0]), float(of.pose[row, 1]), float(of.pose[row, 2])),
            brightness=float(of.brightness[row]),
            contrast=float(of.contrast[row]),
            sharpness=float(of.sharpness[row]),
        )
        for row, faces in enumerate(table["faces"].to_numpy())
    ]


def _landmarks(points: Floats) -> Landmarks:
    first, second, third, fourth, fifth = ((float(x), float(y)) for x, y in points)
    return first, second, third, fourth, fifth


def _images(column: "pa.ChunkedArray[Any]", path: Path) -> list[npt.NDArray[np.uint8]]:
    images = []
    for row, content in enumerate(column):
        image = cv2.imdecode(np.frombuffer(content.as_py(), np.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise DatasetError(f"{path}, row {row}: not an image")
        images.append(image.astype(np.uint8, copy=False))
    return images


def _columns(rows: Sequence[Row], train: Collection[str]) -> dict[str, object]:
    looks = [row.look for row in rows]
    digests = [sha256(look.image.tobytes()).hexdigest() for look in looks]
    times = Counter(digests)
    columns: dict[str, object] = {
        "image": pa.array([_png(look.image) for look in looks], pa.binary()),
        "aligned": pa.array([_png(look.aligned) for look in looks], pa.binary()),
        "label": pa.array([row.label for row in rows], pa.int8()),
        "name": pa.array([row.name for row in rows], pa.string()),
        "faces": pa.array([look.faces for look in looks], pa.int16()),
        "landmarks": _vectors([np.ravel(look.landmarks) for look in looks], _POINTS),
        "pose": _vectors([np.array(look.pose) for look in looks], _ANGLES),
        "sha256": pa.array(digests, pa.string()),
        "copy_inside": pa.array([times[digest] > 1 for digest in digests], pa.bool_()),
        "copy_of_train": pa.array([digest in train for digest in digests], pa.bool_()),
    }
    for name in ("score", "brightness", "contrast", "sharpness"):
        columns[name] = pa.array([getattr(look, name) for look in looks], pa.float32())
    votes = [row.votes for row in rows if row.votes is not None]
    if rows and len(votes) == len(rows):
        table = np.stack(votes)
        for column, choice in enumerate(FERPLUS_CHOICES):
            columns[f"votes_{choice}"] = pa.array(table[:, column], pa.uint8())
    return columns


def _vectors(
    values: Sequence[npt.NDArray[np.float64]], length: int
) -> "pa.FixedSizeListArray[Any, Any]":
    flat = np.concatenate([np.empty(0), *values]).astype(np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), length)


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()

"""Readers for the three forms FER2013 comes in: Parquet, Kaggle's CSV, Kaggle's folders."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE
from training.data.dataset import FERPLUS_CHOICES, Fer2013, Split, framed
from training.data.prepared import check_whole, is_prepared, read_conditions
from training.errors import DatasetError
from training.recipe import Framing

_USAGES = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}
SPLITS = tuple(_USAGES)
_WHITEST = 255

Images = list[npt.NDArray[np.uint8]]


def load_fer2013(source: Path, framing: Framing = "raw") -> Fer2013:
    """Read the three splits from a folder or file, whichever form it has.

    Args:
        source: a folder with ``train.parquet``, ``val.parquet`` and ``test.parquet``; Kaggle's
            ``fer2013.csv``; or a folder of Kaggle's tree, ``SPLIT/EMOTION/*.jpg``. In a tree
            without ``val/``, val and test lie together in ``test/`` and are told apart by
            their files' names (``PublicTest_*``, ``PrivateTest_*``), as Kaggle has them. What
            ``prepare`` wrote is the first form.
        framing: raw, as published, or aligned, as a served face is (prepared data only).

    Returns:
        The splits with their copies still inside. Rows keep the source's order; a tree gives
        them emotion by emotion. Only Parquet has FER+ votes, and only what ``prepare`` wrote
        has aligned faces and conditions.

    Raises:
        DatasetError: no known form is there, the content isn't FER2013's, or aligned images
            are wanted where the data was not prepared.
    """
    return framed(_read(source), framing)


def _read(source: Path) -> Fer2013:
    if source.is_file() and source.suffix == ".csv":
        return _read_csv(source)
    if (source / f"{SPLITS[0]}.parquet").is_file():
        check_whole([source / f"{name}.parquet" for name in SPLITS])
        return _each(lambda name: _read_parquet(source / f"{name}.parquet", name))
    if is_tree(source):
        return _each(lambda name: _read_folder(source, name))
    raise DatasetError(
        f"{source}: no FER2013 here. Give a folder with train.parquet, val.parquet and "
        "test.parquet, Kaggle's fer2013.csv, or a folder with train/EMOTION/*.jpg"
    )


def is_tree(source: Path) -> bool:
    """Tell a tree of folders, ``SPLIT/EMOTION/*``, from the other forms."""
    return (source / "train").is_dir()


def _each(read: Callable[[str], Split]) -> Fer2013:
    return Fer2013(*(read(name) for name in SPLITS))


def _read_parquet(path: Path, name: str) -> Split:
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(f"{path}: can't be read: {error}") from error
    _require(table, {"image", "label"}, path)
    images = _decode_all(table["image"], path)
    columns = [f"votes_{choice}" for choice in FERPLUS_CHOICES]
    votes = None
    if set(columns) <= set(table.column_names):
        votes = np.stack([table[column].to_numpy() for column in columns], axis=1)
    split = _split(name, images, _labels(table["label"], path), votes)
    if not is_prepared(table):
        return split
    aligned = np.stack(_decode_all(table["aligned"], path))
    return replace(split, aligned=aligned, conditions=read_conditions(table))


def _decode_all(column: "pa.ChunkedArray[Any]", path: Path) -> Images:
    return [_decode(data.as_py(), f"{path}, row {row}") for row, data in enumerate(column)]


def _read_csv(path: Path) -> Fer2013:
    as_text = pyarrow.csv.ConvertOptions(column_types={"pixels": pa.string(), "Usage": pa.string()})
    try:
        table = pyarrow.csv.read_csv(path, convert_options=as_text)
    except pa.ArrowInvalid as error:
        raise DatasetError(f"{path}: no table of comma-separated values: {error}") from error
    _require(table, {"emotion", "pixels", "Usage"}, path)
    usages = table["Usage"].to_numpy()
    labels = _labels(table["emotion"], path)

    def read(name: str) -> Split:
        rows = np.flatnonzero(usages == _USAGES[name])
        texts = table["pixels"].take(rows)
        # The file's first line is the header.
        lines = (f"{path}, line {row + 2}" for row in rows)
        images = [_parse(text.as_py(), line) for text, line in zip(texts, lines, strict=True)]
        return _split(name, images, labels[rows], None)

    return _each(read)


def _read_folder(source: Path, name: str) -> Split:
    files = tree_files(source, name)
    images = [_decode(file.read_bytes(), str(file)) for file, _ in files]
    return _split(name, images, np.array([label for _, label in files], dtype=np.int64), None)


def tree_files(source: Path, name: str) -> list[tuple[Path, int]]:
    """List a split's files in a tree ``SPLIT/EMOTION/*``, with their labels, in fixed order.

    Raises:
        DatasetError: the split is missing, or has a folder that is no emotion.
    """
    folder, pattern = source / name, "*"
    if name != "train" and not (source / "val").is_dir():
        folder, pattern = source / "test", f"{_USAGES[name]}_*"
    if not folder.is_dir():
        raise DatasetError(f"{folder}: missing")
    known = {emotion.value for emotion in EMOTIONS}
    # Hidden files are the system's: .DS_Store, .gitkeep.
    names = (child.name for child in folder.iterdir() if not child.name.startswith("."))
    strays = sorted(name for name in names if name not in known)
    if strays:
        raise DatasetError(f"{folder}: {', '.join(strays)}: not one of {', '.join(EMOTIONS)}")
    return [
        (file, label)
        for label, emotion in enumerate(EMOTIONS)
        for file in sorted((folder / emotion.value).glob(pattern))
    ]


def _require(table: pa.Table, columns: set[str], path: Path) -> None:
    missing = columns - set(table.column_names)
    if missing:
        raise DatasetError(f"{path}: no column {', '.join(sorted(missing))}")


def _labels(column: "pa.ChunkedArray[Any]", path: Path) -> npt.NDArray[np.int64]:
    try:
        numbers = column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise DatasetError(f"{path}: a label is no whole number: {error}") from error
    if numbers.null_count:
        raise DatasetError(f"{path}: {numbers.null_count} rows without a label")
    labels: npt.NDArray[np.int64] = numbers.to_numpy()
    return labels


def _split(
    name: str,
    images: Images,
    labels: npt.NDArray[np.int64],
    votes: npt.NDArray[np.uint8] | None,
) -> Split:
    if not images:
        raise DatasetError(f"{name}: no images")
    if labels.min() < 0 or labels.max() >= len(EMOTIONS):
        raise DatasetError(f"{name}: labels run from {labels.min()} to {labels.max()}, not 0 to 6")
    return Split(name, np.stack(images), labels, votes)


def _decode(data: bytes | None, where: str) -> npt.NDArray[np.uint8]:
    # OpenCV answers no bytes with an exception of its own, and anything else bad with None.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None or image.shape != (CROP_SIDE, CROP_SIDE):
        raise DatasetError(f"{where}: not a {CROP_SIDE}x{CROP_SIDE} image")
    return image.astype(np.uint8, copy=False)


def _parse(text: str, where: str) -> npt.NDArray[np.uint8]:
    try:
        values = np.array([int(value) for value in text.split()], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DatasetError(f"{where}: a pixel is no number: {error}") from error
    if values.size != CROP_SIDE**2:
        raise DatasetError(f"{where}: {values.size} pixels, not {CROP_SIDE**2}")
    if values.min() < 0 or values.max() > _WHITEST:
        raise DatasetError(f"{where}: pixels from {values.min()} to {values.max()}, not 0 to 255")
    return values.astype(np.uint8).reshape(CROP_SIDE, CROP_SIDE)

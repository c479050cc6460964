import math
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
import pytest

from emotion.faces import Landmarks
from training.data.conditions import Look
from training.data.dataset import FERPLUS_CHOICES
from training.data.prepared import (
    LeftOut,
    Row,
    check_whole,
    inputs_of,
    is_prepared,
    left_out_of,
    read_conditions,
    read_rows,
    seen_by_of,
    write_split,
)
from training.errors import DatasetError

POINTS: Landmarks = ((15.0, 18.0), (32.0, 18.5), (24.0, 28.0), (17.0, 37.0), (30.5, 37.0))
NOWHERE: Landmarks = ((math.nan, math.nan),) * 5


def image(value: int) -> npt.NDArray[np.uint8]:
    return np.full((48, 48), value, dtype=np.uint8)


def row(value: int, label: int = 3, *, found: bool = True, voted: bool = True) -> Row:
    look = Look(
        image=image(value),
        aligned=image(value + 1),
        faces=int(found),
        score=0.75 if found else math.nan,
        landmarks=POINTS if found else NOWHERE,
        pose=(10.0, -20.0, 30.5) if found else (math.nan,) * 3,
        brightness=float(value),
        contrast=2.5,
        sharpness=1000.5,
    )
    votes = np.arange(10, dtype=np.uint8) if voted else None
    return Row(f"train {value}", label, votes, look)


def write(path: Path, *rows: Row, inputs: str = "one", train: frozenset[str] = frozenset()) -> Path:
    write_split(path, rows, [], inputs, train)
    return path


def test_what_was_seen_is_read_back(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", row(10), row(20, found=False))
    table = pyarrow.parquet.read_table(path)
    conditions = read_conditions(table)
    assert is_prepared(table)
    assert conditions.brightness.tolist() == [10, 20]
    assert conditions.contrast.tolist() == [2.5, 2.5]
    assert conditions.sharpness.tolist() == [1000.5, 1000.5]
    assert conditions.score[0] == 0.75
    assert conditions.landmarks[0].tolist() == [[*point] for point in POINTS]
    assert conditions.pose[0].tolist() == [10, -20, 30.5]
    assert conditions.landmarks.shape == (2, 5, 2)
    assert conditions.pose.dtype == np.float32


@pytest.mark.parametrize("voted", [True, False])
def test_rows_are_read_back_as_they_were(voted: bool, tmp_path: Path) -> None:  # noqa: FBT001  # pytest gives it
    rows = [row(10, voted=voted), row(20, 6, found=False, voted=voted)]
    write(tmp_path / "one.parquet", *rows)
    again = read_rows(tmp_path / "one.parquet")
    assert [(one.name, one.label, one.look.faces) for one in again] == [
        ("train 10", 3, 1), ("train 20", 6, 0),
    ]  # fmt: skip
    assert np.array_equal(again[1].look.aligned, image(21))
    write(tmp_path / "two.parquet", *again)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_row_that_is_no_image_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", row(10))
    table = pyarrow.parquet.read_table(path)
    at = table.column_names.index("aligned")
    pyarrow.parquet.write_table(table.set_column(at, "aligned", pa.array([b"no image"])), path)
    with pytest.raises(DatasetError, match=r"train\.parquet, row 0: not an image"):
        read_rows(path)


def test_file_names_who_looked_at_the_faces(tmp_path: Path) -> None:
    write_split(tmp_path / "train.parquet", [row(10)], [], "one", set(), "retinaface")
    assert seen_by_of(tmp_path / "train.parquet") == "retinaface"
    assert seen_by_of(write(tmp_path / "val.parquet", row(10))) is None


def test_what_is_not_known_of_a_face_is_read_back_as_nan(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", row(10, found=False))
    conditions = read_conditions(pyarrow.parquet.read_table(path))
    unknown = (conditions.score, conditions.landmarks, conditions.pose)
    assert all(np.isnan(values).all() for values in unknown)


def test_rows_have_their_names_labels_faces_and_votes(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", row(10, 5), row(20, 6, found=False))
    table = pyarrow.parquet.read_table(path)
    assert table["name"].to_pylist() == ["train 10", "train 20"]
    assert table["label"].to_pylist() == [5, 6]
    assert table["faces"].to_pylist() == [1, 0]
    assert [table[f"votes_{choice}"][0].as_py() for choice in FERPLUS_CHOICES] == [*range(10)]


def test_rows_without_votes_have_no_columns_of_them(tmp_path: Path) -> None:
    path = write(tmp_path / "train.parquet", row(10, voted=False))
    names = pyarrow.parquet.read_schema(path).names
    assert not [name for name in names if name.startswith("votes_")]


def test_copies_are_marked_by_their_pixels(tmp_path: Path) -> None:
    digests = [sha256(image(value).tobytes()).hexdigest() for value in (10, 20)]
    path = write(tmp_path / "val.parquet", row(10), row(20), row(10), train=frozenset(digests[1:]))
    table = pyarrow.parquet.read_table(path)
    assert table["sha256"].to_pylist() == [digests[0], digests[1], digests[0]]
    assert table["copy_inside"].to_pylist() == [True, False, True]
    assert table["copy_of_train"].to_pylist() == [False, True, False]


def test_what_was_left_out_is_read_back(tmp_path: Path) -> None:
    left_out = [LeftOut("train/sad/ü.jpg", "no face found"), LeftOut("b", "The photo is empty")]
    write_split(tmp_path / "train.parquet", [row(10)], left_out, "one", set())
    assert left_out_of(tmp_path / "train.parquet") == left_out


def test_file_names_what_it_was_made_from(tmp_path: Path) -> None:
    assert inputs_of(write(tmp_path / "train.parquet", row(10), inputs="abc")) == "abc"


def test_file_that_was_not_prepared_names_nothing(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"label": [1]}), tmp_path / "plain.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    names = ("plain", "broken", "missing")
    assert [inputs_of(tmp_path / f"{name}.parquet") for name in names] == [None] * 3


def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    write(tmp_path / "train.parquet", row(10))
    assert [path.name for path in tmp_path.iterdir()] == ["train.parquet"]


def test_splits_of_different_inputs_are_refused(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.parquet", row(10), inputs=name) for name in ("train", "val")]
    with pytest.raises(DatasetError, match="prepared from different inputs; run 'python -m"):
        check_whole(paths)


def test_splits_of_the_same_inputs_pass(tmp_path: Path) -> None:
    check_whole([write(tmp_path / f"{name}.parquet", row(10)) for name in ("train", "val")])

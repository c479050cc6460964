import math
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from training.data.conditions import Look
from training.data.dataset import Conditions, Fer2013, Split
from training.data.prepared import LeftOut, Row, write_split
from training.data.quality.facts import (
    Place,
    PreparedSplit,
    conflicts_in,
    copies_of,
    faces_by_class,
    facts_of,
    read_prepared,
)
from training.errors import DatasetError

# What each image shows is told by one number: 0 is blank, equal numbers are copies.
ROWS = {
    "train": [(0, 3, 0), (1, 3, 1), (2, 4, 1), (2, 5, 1), (7, 6, 2)],
    "val": [(1, 3, 1), (2, 4, 1), (9, 0, 1)],
    "test": [(1, 0, 1), (4, 1, 0), (0, 2, 0)],
}


def row(name: str, number: int, label: int, faces: int) -> Row:
    image = np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8)
    image = image if number else np.zeros((48, 48), np.uint8)
    known = number if faces == 1 else math.nan
    look = Look(
        image=image,
        aligned=image,
        faces=faces,
        score=known,
        landmarks=((known, known),) * 5,
        pose=(known, -known, 2 * known),
        brightness=float(image.mean()),
        contrast=float(image.std()),
        sharpness=float(number),
    )
    return Row(f"{name} {number}", label, None, look)


def write(folder: Path, rows: dict[str, list[tuple[int, int, int]]] = ROWS) -> None:
    for name, numbers in rows.items():
        left_out = [LeftOut("a.jpg", "no face found")] if name == "val" else []
        looked = [row(name, *numbers_of_row) for numbers_of_row in numbers]
        write_split(folder / f"{name}.parquet", looked, left_out, "one", set())


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Sequence[PreparedSplit]:
    folder = tmp_path_factory.mktemp("prepared")
    write(folder)
    return read_prepared(folder)


def test_data_that_was_not_prepared_has_no_facts(parquet_folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"not prepared\. Run 'python -m training prepare'"):
        read_prepared(parquet_folder)


def test_images_are_counted_once_and_with_their_copies(splits: Sequence[PreparedSplit]) -> None:
    facts = facts_of(splits)
    assert (facts["images"], facts["distinct_images"]) == (11, 6)


def test_copies_are_counted_inside_and_across_splits(splits: Sequence[PreparedSplit]) -> None:
    assert copies_of(splits) == {
        "train": {"train": 1, "val": 3, "test": 2},
        "val": {"train": 2, "val": 0, "test": 1},
        "test": {"train": 2, "val": 1, "test": 0},
    }


def test_groups_with_different_labels_are_told_largest_first(
    splits: Sequence[PreparedSplit],
) -> None:
    groups = conflicts_in(splits)
    assert [len(group.places) for group in groups] == [3, 3, 2]
    assert groups[0].places == (Place("train", 1), Place("val", 0), Place("test", 0))
    assert groups[0].labels == (3, 3, 0)
    facts = facts_of(splits)
    assert (facts["conflicting_groups"], facts["conflicting_images"]) == (3, 8)


def test_blank_images_are_counted(splits: Sequence[PreparedSplit]) -> None:
    assert facts_of(splits)["blank_images"] == 2
    assert splits[0].blank.tolist() == [True, False, False, False, False]


def test_faces_found_are_counted_by_class(splits: Sequence[PreparedSplit]) -> None:
    table = faces_by_class(splits[0])
    assert table["happy"] == {"none": 1, "one": 1, "several": 0}
    assert table["neutral"] == {"none": 0, "one": 0, "several": 1}
    assert table["angry"] == {"none": 0, "one": 0, "several": 0}


def test_each_split_has_its_classes_quantiles_and_what_was_left_out(
    splits: Sequence[PreparedSplit],
) -> None:
    facts = facts_of(splits)["splits"]
    assert isinstance(facts, dict)
    val = facts["val"]
    assert val["by_class"]["happy"] == 1
    assert val["sharpness"] == {"p1": 1.02, "p5": 1.1, "median": 2, "p95": 8.3, "p99": 8.86}
    assert val["roll"]["median"] == 4
    assert val["left_out"] == [{"name": "a.jpg", "reason": "no face found"}]


def test_what_was_never_measured_has_no_quantiles(tmp_path: Path) -> None:
    write(tmp_path, {"train": [(0, 3, 0)], "val": [(1, 3, 0)], "test": [(2, 3, 0)]})
    facts = facts_of(read_prepared(tmp_path))["splits"]
    assert isinstance(facts, dict)
    assert facts["train"]["yaw"] is None


@pytest.mark.shared_data
def test_shipped_data_has_the_known_copies_conflicts_and_blanks(shared_fer2013: Fer2013) -> None:
    data = shared_fer2013
    facts = facts_of([unseen(split) for split in (data.train, data.val, data.test)])
    assert (facts["images"], facts["distinct_images"]) == (35887, 34034)
    assert (facts["conflicting_groups"], facts["conflicting_images"]) == (57, 160)
    assert facts["blank_images"] == 12
    copies = facts["copies"]
    assert isinstance(copies, dict)
    assert (copies["val"]["train"], copies["test"]["train"]) == (280, 288)


def unseen(split: Split) -> PreparedSplit:
    """A split as if it was prepared without looking at faces, which takes minutes."""
    count = len(split)
    nothing = np.full(count, np.nan, dtype=np.float32)
    contrast = split.images.std(axis=(1, 2)).astype(np.float32)
    points, angles = (
        np.full((count, 5, 2), np.nan, np.float32),
        np.full((count, 3), np.nan, np.float32),
    )
    conditions = Conditions(nothing, contrast, nothing, nothing, points, angles)
    digests = [sha256(image.tobytes()).hexdigest() for image in split.images]
    return PreparedSplit(split, conditions, digests, digests, np.zeros(count, np.int64), [])

import numpy as np
import pytest

from training.data.dataset import Conditions, Split
from training.evaluation.slices import slices_of

NAN = float("nan")


def split_of(conditions: Conditions | None, count: int) -> Split:
    images = np.zeros((count, 48, 48), dtype=np.uint8)
    return Split("val", images, np.zeros(count, dtype=np.int64), conditions=conditions)


def face(eyes: float) -> list[tuple[float, float]]:
    return [(24 - eyes / 2, 18), (24 + eyes / 2, 18), (24, 28), (17, 37), (31, 37)]


def floats(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


@pytest.fixture
def split() -> Split:
    """An ordinary face, then a face for each slice, then one on which none was found."""
    usual = (0.0, 0.0, 0.0)
    nothing = [(NAN, NAN)] * 5
    conditions = Conditions(
        brightness=floats([130, 84, 130, 130, 130, 130, 84]),
        contrast=floats([50] * 7),
        sharpness=floats([1001, 1001, 999, 1001, 1001, 1001, 1001]),
        score=floats([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, NAN]),
        landmarks=floats([face(17), face(17), face(17), face(17), face(17), face(12), nothing]),
        pose=floats([usual, usual, usual, (-31, 0, 0), (0, 0, 18), usual, (NAN, NAN, NAN)]),
    )
    return split_of(conditions, 7)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("dark", [1, 6]),
        ("blurred", [2]),
        ("rotated", [3, 4]),
        ("small", [5]),
        ("no single face", [6]),
    ],
)
def test_slice_holds_the_rows(split: Split, name: str, rows: list[int]) -> None:
    assert np.flatnonzero(slices_of(split)[name]).tolist() == rows


def test_data_that_was_not_prepared_has_no_slices() -> None:
    assert slices_of(split_of(None, 2)) == {}

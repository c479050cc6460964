from pathlib import Path

import numpy as np
import pytest

from emotion.labels import Emotion
from training.data.dataset import Split
from training.errors import DatasetError
from training.evaluation.groups import (
    GroupFigures,
    accuracy_gap,
    groups_as_table,
    judge_groups,
    read_groups,
)


@pytest.fixture
def split() -> Split:
    images = np.zeros((6, 48, 48), dtype=np.uint8)
    return Split("val", images, np.array([0, 0, 3, 3, 6, 6], dtype=np.int64))


def write(folder: Path, text: str) -> Path:
    path = folder / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_gathered_by_group(tmp_path: Path, split: Split) -> None:
    groups = read_groups(write(tmp_path, "group,row,note\na,4,x\nb, 1 ,y\na,0,z\n"), split)
    assert {group: rows.tolist() for group, rows in groups.items()} == {"a": [4, 0], "b": [1]}


def test_figures_are_those_of_the_groups_rows(split: Split) -> None:
    answers = np.array([0, 1, 3, 3, 6, 0], dtype=np.int64)
    groups = {"a": np.array([0, 2, 3, 4]), "b": np.array([1, 5])}
    figures = judge_groups(answers, split, groups)
    assert (figures["a"].images, figures["a"].accuracy, figures["a"].error) == (4, 1.0, 0.0)
    assert (figures["b"].images, figures["b"].accuracy) == (2, 0.0)
    assert figures["a"].recall[Emotion.HAPPY] == 1.0
    assert figures["b"].recall[Emotion.HAPPY] is None


def test_gap_is_that_of_groups_with_enough_images() -> None:
    recall = dict.fromkeys(Emotion, 0.5)
    many = {"a": GroupFigures(30, 0.75, 0.08, recall), "b": GroupFigures(40, 0.5, 0.08, recall)}
    few = {"c": GroupFigures(29, 0.1, 0.06, recall)}
    assert accuracy_gap({**many, **few}) == 0.25
    assert accuracy_gap({"a": many["a"], **few}) is None
    assert groups_as_table(few).splitlines()[-1].startswith("no two groups have 30 images")


def test_table_has_a_line_a_group_and_the_gap(split: Split) -> None:
    recall = dict.fromkeys(Emotion, 0.5)
    figures = {
        "older": GroupFigures(100, 0.6, 0.049, recall),
        "younger": GroupFigures(1200, 0.7, 0.013, {**recall, Emotion.ANGRY: None}),
    }
    lines = groups_as_table(figures).splitlines()
    assert lines[1].startswith("older       100     60.0%    4.9%     50.0%")
    assert lines[2].startswith("younger   1,200     70.0%    1.3%         -     50.0%")
    assert lines[-1] == ("gap between the best and the worst group of 30 images or more: 10.0%")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,people\n0,a\n", "no column group"),
        ("row,group\n", "names no row"),
        ("row,group\n6,a\n", "line 2: row '6' is not one of 0 to 5"),
        ("row,group\n-1,a\n", "line 2: row '-1' is not one of 0 to 5"),
        ("row,group\n0,a\n0,b\n", "line 3: row 0 stands twice"),
        ("row,group\n0, \n", "line 2: no group"),
        ("row,group\n\x000,a\n", "not one of 0 to 5"),
    ],
)
def test_bad_file_is_refused(tmp_path: Path, split: Split, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=r"groups\.csv") as caught:
        read_groups(write(tmp_path, text), split)
    assert message in str(caught.value)


def test_file_that_is_no_text_is_refused(tmp_path: Path, split: Split) -> None:
    (tmp_path / "groups.csv").write_bytes(b"row,group\n\xff\xfe,a\n")
    with pytest.raises(DatasetError, match="no CSV"):
        read_groups(tmp_path / "groups.csv", split)


def test_missing_file_is_refused(tmp_path: Path, split: Split) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        read_groups(tmp_path / "groups.csv", split)

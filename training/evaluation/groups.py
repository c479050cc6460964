"""Accuracy by group of people, for whoever has labels of groups: FER2013 has none.

A file of groups is CSV with the columns ``row`` (zero-based, in the split's order) and
``group`` (any word). File names are no key: FER2013's are not unique.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotion.labels import EMOTIONS, Emotion
from training.data.dataset import Split
from training.errors import DatasetError
from training.evaluation.metrics import confusion_matrix, recall_of, standard_error

# Of fewer images a group's accuracy says little: its standard error may exceed 9 points.
FEWEST = 30

_COLUMNS = {"row", "group"}


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How right the answers about one group are, as fractions.

    Attributes:
        images: how many were scored.
        accuracy: share of right answers.
        error: the accuracy's standard error.
        recall: of each emotion; None for one that the group doesn't show.
    """

    images: int
    accuracy: float
    error: float
    recall: Mapping[Emotion, float | None]


def read_groups(path: Path, split: Split) -> dict[str, npt.NDArray[np.int64]]:
    """Return each group's rows of a split, in the order of the file.

    Raises:
        DatasetError: the file can't be read, lacks a column, or names a row that the split
            doesn't have, or has twice.
    """
    rows: dict[str, list[int]] = {}
    known: set[int] = set()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            missing = _COLUMNS - set(table.fieldnames or ())
            if missing:
                raise DatasetError(f"{path}: no column {', '.join(sorted(missing))}")
            for entry in table:
                row = _row_of(entry["row"], f"{path}, line {table.line_num}", len(split))
                if row in known:
                    raise DatasetError(f"{path}, line {table.line_num}: row {row} stands twice")
                known.add(row)
                group = (entry["group"] or "").strip()
                if not group:
                    raise DatasetError(f"{path}, line {table.line_num}: no group")
                rows.setdefault(group, []).append(row)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: no CSV: {error}") from error
    if not rows:
        raise DatasetError(f"{path}: names no row")
    return {group: np.array(members, dtype=np.int64) for group, members in rows.items()}


def judge_groups(
    answers: npt.NDArray[np.int64],
    split: Split,
    groups: Mapping[str, npt.NDArray[np.int64]],
) -> dict[str, GroupFigures]:
    """Judge the answers about each group.

    Args:
        answers: int64 [n], index into ``emotion.labels.EMOTIONS``, one an image of the split.
        split: whose labels count.
        groups: group to rows.
    """
    return {group: _judge(answers[rows], split.labels[rows]) for group, rows in groups.items()}


def accuracy_gap(figures: Mapping[str, GroupFigures]) -> float | None:
    """Return how far the best group's accuracy lies above the worst one's, as a fraction.

    Groups of fewer than ``FEWEST`` images don't count; None where fewer than two are left.
    """
    accuracies = [group.accuracy for group in figures.values() if group.images >= FEWEST]
    return max(accuracies) - min(accuracies) if len(accuracies) > 1 else None


def groups_as_table(figures: Mapping[str, GroupFigures]) -> str:
    """Return the figures as percentages, a line a group, and the gap."""
    width = max(len("group"), *(len(group) for group in figures))
    head = "".join(f"{emotion:>10}" for emotion in EMOTIONS)
    lines = [f"{'group':<{width}}{'images':>8}{'accuracy':>10}{'± s.e.':>8}{head}"]
    for group, figure in figures.items():
        recalls = "".join(f"{_percent(figure.recall[emotion]):>10}" for emotion in EMOTIONS)
        lines.append(
            f"{group:<{width}}{figure.images:>8,}{_percent(figure.accuracy):>10}"
            f"{_percent(figure.error):>8}{recalls}"
        )
    gap = accuracy_gap(figures)
    verdict = (
        f"no two groups have {FEWEST} images: too few to compare"
        if gap is None
        else f"gap between the best and the worst group of {FEWEST} images or more: {gap:.1%}"
    )
    return "\n".join([*lines, "", verdict])


def _judge(answers: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> GroupFigures:
    accuracy = float(np.mean(answers == labels))
    return GroupFigures(
        images=len(labels),
        accuracy=accuracy,
        error=standard_error(accuracy, len(labels)),
        recall=recall_of(confusion_matrix(labels, answers)),
    )


def _row_of(text: str | None, where: str, count: int) -> int:
    if text is None or not text.strip().isdecimal() or int(text) >= count:
        raise DatasetError(f"{where}: row {text!r} is not one of 0 to {count - 1}")
    return int(text)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"

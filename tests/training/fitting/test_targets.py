from collections.abc import Sequence

import numpy as np
import pytest
import torch

from emotion.labels import EMOTIONS
from training.data.dataset import Split
from training.errors import DatasetError
from training.fitting.targets import targets_of
from training.recipe import Recipe

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")
CONTEMPT = 7


def one_face(votes: dict[int, int] | None) -> Split:
    """A face labelled happy, and how often each of FER+'s choices was voted for."""
    cast = np.zeros((1, 10), dtype=np.uint8)
    for choice, count in (votes or {}).items():
        cast[0, choice] = count
    images = np.zeros((1, 48, 48), dtype=np.uint8)
    return Split("train", images, np.array([HAPPY]), None if votes is None else cast)


def target(split: Split, **shares: float) -> Sequence[float]:
    return torch.round(targets_of(split, Recipe(**shares)), decimals=4)[0].tolist()


def wanted(rest: float = 0.0, **shares: float) -> Sequence[float]:
    return pytest.approx([shares.get(name, rest) for name in EMOTIONS])  # type: ignore[return-value]  # compares as one


def test_a_label_alone_is_certain() -> None:
    assert target(one_face({SAD: 10}), label_smoothing=0, votes=0) == wanted(happy=1)


def test_smoothing_spreads_a_share_over_all_seven() -> None:
    assert target(one_face(None), label_smoothing=0.07) == wanted(0.01, happy=0.94)


def test_votes_have_their_share_of_the_target() -> None:
    face = one_face({SAD: 6, HAPPY: 2})
    assert target(face, label_smoothing=0, votes=0.4) == wanted(happy=0.7, sad=0.3)


def test_votes_for_none_of_the_seven_do_not_count() -> None:
    face = one_face({SAD: 2, CONTEMPT: 8})
    assert target(face, label_smoothing=0, votes=0.5) == wanted(happy=0.5, sad=0.5)


def test_where_nobody_voted_for_one_of_the_seven_the_label_counts_alone() -> None:
    assert target(one_face({CONTEMPT: 10}), label_smoothing=0, votes=0.5) == wanted(happy=1)


def test_votes_that_are_not_there_are_told() -> None:
    with pytest.raises(DatasetError, match=r"train: no FER\+ votes"):
        targets_of(one_face(None), Recipe(votes=0.3))

from collections.abc import Sequence

import numpy as np
import pytest

from emotion.errors import DeadlineExceeded
from emotion.faces import ModelVersion, Verdicts
from service.stages.tasks import CropResult, CropVerdict
from service.stages.verdicts import ask_one_model, no_verdicts

OLD, NEW = (ModelVersion("emotion_classifier", version) for version in ("1", "2"))


def row(level: float, model: ModelVersion = NEW) -> CropVerdict:
    return CropVerdict(np.full(7, level, dtype=np.float32), model)


async def answer_to(*answers: Sequence[CropResult]) -> tuple[Verdicts, int]:
    """The verdicts where the rows come as told, and how often they were asked for."""
    left = list(answers)

    async def ask() -> Sequence[CropResult]:
        return left.pop(0)

    verdicts = await ask_one_model(ask)
    return verdicts, len(answers) - len(left)


async def test_rows_are_joined_in_order() -> None:
    verdicts, asked = await answer_to([row(0.1), row(0.2)])
    expected = np.array([0.1, 0.2], dtype=np.float32)
    np.testing.assert_array_equal(verdicts.probabilities[:, 0], expected)
    assert (verdicts.probabilities.shape, verdicts.model, asked) == ((2, 7), NEW, 1)


async def test_rows_of_two_models_are_judged_again_by_one() -> None:
    mixed = [row(0.1, OLD), row(0.2, NEW)]
    verdicts, asked = await answer_to(mixed, [row(0.3, NEW), row(0.4, NEW)])
    expected = np.array([0.3, 0.4], dtype=np.float32)
    np.testing.assert_array_equal(verdicts.probabilities[:, 0], expected)
    assert (verdicts.model, asked) == (NEW, 2)


async def test_one_late_row_makes_the_request_late() -> None:
    with pytest.raises(DeadlineExceeded):
        await answer_to([row(0.1), DeadlineExceeded("late")])


def test_no_rows_still_name_the_model() -> None:
    verdicts = no_verdicts(NEW)
    assert verdicts.model == NEW
    assert verdicts.probabilities.shape == (0, 7)

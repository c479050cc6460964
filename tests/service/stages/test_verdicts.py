import numpy as np
import pytest

from emotion.errors import DeadlineExceeded
from emotion.faces import ModelVersion
from service.stages.tasks import CropVerdict
from service.stages.verdicts import gather_verdicts, no_verdicts

OLD, NEW = (ModelVersion("emotion_classifier", version) for version in ("1", "2"))


def row(level: float, model: ModelVersion = NEW) -> CropVerdict:
    return CropVerdict(np.full(7, level, dtype=np.float32), model)


def test_rows_are_joined_in_order() -> None:
    verdicts = gather_verdicts([row(0.1), row(0.2)])
    np.testing.assert_array_equal(
        verdicts.probabilities[:, 0], np.array([0.1, 0.2], dtype=np.float32)
    )
    assert verdicts.probabilities.shape == (2, 7)


def test_the_last_rows_model_names_the_answer() -> None:
    assert gather_verdicts([row(0.1, OLD), row(0.2, NEW)]).model == NEW


def test_one_late_row_makes_the_request_late() -> None:
    with pytest.raises(DeadlineExceeded):
        gather_verdicts([row(0.1), DeadlineExceeded("late")])


def test_no_rows_still_name_the_model() -> None:
    verdicts = no_verdicts(NEW)
    assert verdicts.model == NEW
    assert verdicts.probabilities.shape == (0, 7)

import json

import pytest

from emotion.labels import EMOTIONS
from training.evaluation.groups import GroupFigures
from training.evaluation.metrics import Evaluation, SliceFigures
from training.evaluation.report import as_json, as_table


@pytest.fixture
def result() -> Evaluation:
    recall = dict.fromkeys(EMOTIONS, 0.5)
    return Evaluation(
        images=3589,
        images_without_copies=3301,
        images_with_majority=0,
        accuracy=0.6789,
        accuracy_without_copies=0.6712,
        ferplus_accuracy=None,
        macro_f1=0.65,
        ece=0.0123,
        recall={**recall, EMOTIONS[1]: None},
        confusion=tuple(tuple(10 * row + column for column in range(7)) for row in range(7)),
        slices={"dark": SliceFigures(400, 0.55), "blurred": SliceFigures(0, None)},
    )


def test_json_is_one_object_of_fractions_on_one_line(result: Evaluation) -> None:
    groups = {"a": GroupFigures(7, 0.5, 0.1, {EMOTIONS[0]: None})}
    text = as_json(result, groups)
    assert "\n" not in text
    recall = {str(emotion): 0.5 for emotion in EMOTIONS}
    assert json.loads(text) == {
        "accuracy": 0.6789,
        "accuracy_without_copies": 0.6712,
        "ferplus_accuracy": None,
        "macro_f1": 0.65,
        "ece": 0.0123,
        "recall": {**recall, "disgust": None},
        "slices": {
            "dark": {"images": 400, "accuracy": 0.55},
            "blurred": {"images": 0, "accuracy": None},
        },
        "groups": {"a": {"images": 7, "accuracy": 0.5, "error": 0.1, "recall": {"angry": None}}},
    }


@pytest.mark.parametrize(
    "line",
    [
        "accuracy                 67.89% ± 0.78%   3,589 images",
        "accuracy without copies  67.12% ± 0.82%   3,301 images that equal no training image",
        "FER+ accuracy                 -           0 images with one majority among the seven",
        "ECE                       1.23%           15 bins",
        "on dark                  55.00% ± 2.49%   400 images",
        "on blurred                    -           0 images",
        "disgust       91       -       10       11       12       13       14       15       16",
    ],
)
def test_table_has_the_line(result: Evaluation, line: str) -> None:
    assert line in as_table(result).splitlines()

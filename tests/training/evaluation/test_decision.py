import pytest
from pydantic import ValidationError

from training.evaluation.decision import (
    Compared,
    Decision,
    Judges,
    as_json,
    as_table,
    in_a_sentence,
    read_decision,
)
from training.experiment import GateRecipe

REFUSED = Decision(
    accepted=False,
    reasons=("It is not right more often: it gains 1 images and loses 3.",),
    challenger="2026.11.25-bbbbbbbb",
    challenger_sha256="b" * 64,
    champion="2026.11.24-aaaaaaaa",
    champion_sha256="a" * 64,
    p_value=0.9375,
    gained=1,
    lost=3,
    accuracy=Compared(3589, 0.668, 0.6675, -0.0005),
    recall={"angry": Compared(467, 0.5, 0.75, 0.25), "disgust": Compared(0, None, None, None)},
    slices={"dark": Compared(400, 0.6, 0.58, -0.02)},
    worst_slice="dark",
    recipe=GateRecipe(),
    judges=Judges(3589, "c" * 64),
)
FIRST = Decision(
    accepted=True,
    reasons=("No champion yet.",),
    challenger="2026.11.24-aaaaaaaa",
    challenger_sha256="a" * 64,
    champion=None,
    champion_sha256=None,
    p_value=None,
    gained=0,
    lost=0,
    accuracy=Compared(14, None, 0.5, None),
    recall={},
    slices={},
    worst_slice=None,
    recipe=GateRecipe(significance=0.01),
    judges=Judges(14, "d" * 64),
)


@pytest.mark.parametrize("decision", [REFUSED, FIRST])
def test_json_is_read_back_equal(decision: Decision) -> None:
    assert read_decision(as_json(decision)) == decision


def test_other_json_is_refused() -> None:
    with pytest.raises(ValidationError):
        read_decision('{"accepted": true}')


def test_sentence_names_the_champion_and_the_reasons() -> None:
    assert in_a_sentence(REFUSED) == (
        "Refused against 2026.11.24-aaaaaaaa: It is not right more often: it gains 1 images and "
        "loses 3."
    )
    assert in_a_sentence(FIRST) == "Accepted without a champion: No champion yet."


def test_table_shows_both_sides_and_their_difference() -> None:
    assert as_table(REFUSED).splitlines() == [
        "champion    2026.11.24-aaaaaaaa",
        "challenger  2026.11.25-bbbbbbbb",
        "",
        "                             images  champion  challenger  difference",
        "accuracy                      3,589    66.80%      66.75%       -0.05",
        "recall of angry                 467    50.00%      75.00%      +25.00",
        "recall of disgust                 0         -           -           -",
        "accuracy on dark                400    60.00%      58.00%       -2.00",
        "",
        "right only in the challenger 1, only in the champion 3; one-sided McNemar p = 0.9375",
        in_a_sentence(REFUSED),
    ]


def test_table_without_a_champion_leaves_its_side_out() -> None:
    assert as_table(FIRST).splitlines() == [
        "champion    -",
        "challenger  2026.11.24-aaaaaaaa",
        "",
        "                             images  champion  challenger  difference",
        "accuracy                         14         -      50.00%           -",
        "",
        in_a_sentence(FIRST),
    ]

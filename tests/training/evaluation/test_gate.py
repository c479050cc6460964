from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import numpy.typing as npt
import pytest

from training.evaluation.decision import Compared, Decision, Judges
from training.evaluation.gate import Contender, Exam, judge
from training.experiment import GateRecipe

# 40 images of the first two emotions in turn, and one of each other emotion.
LABELS = np.array([*([0, 1] * 20), 2, 3, 4, 5, 6], dtype=np.int64)
IMAGES = len(LABELS)
JUDGES = Judges(IMAGES, "5a")
LENIENT = GateRecipe.model_construct(significance=0.05, recall_margin=1.0, slice_margin=1.0)


def contender(right: npt.NDArray[np.bool_], name: str) -> Contender:
    """Answer the images of ``LABELS``: the label where right, else the one after it."""
    probabilities = np.zeros((IMAGES, 7), dtype=np.float32)
    probabilities[np.arange(IMAGES), np.where(right, LABELS, (LABELS + 1) % 7)] = 1
    return Contender(name, f"sha256 of {name}", probabilities, judged_by=str(JUDGES))


def right_on(*ranges: range) -> npt.NDArray[np.bool_]:
    return np.isin(np.arange(IMAGES), [row for one in ranges for row in one])


def exam(slices: dict[str, npt.NDArray[np.bool_]] | None = None) -> Exam:
    return Exam(JUDGES, LABELS, slices or {})


def decide(
    champion: npt.NDArray[np.bool_],
    challenger: npt.NDArray[np.bool_],
    recipe: GateRecipe = LENIENT,
    slices: dict[str, npt.NDArray[np.bool_]] | None = None,
) -> Decision:
    sides = contender(challenger, "new"), contender(champion, "old")
    return judge(*sides, exam(slices), recipe)


def test_challenger_without_a_champion_is_accepted() -> None:
    nothing_right = contender(right_on(), "new")
    decision = judge(nothing_right, None, exam({"dark": right_on(range(4))}), GateRecipe())
    assert decision.accepted
    assert decision.reasons == ("No champion yet.",)
    assert decision.champion is None
    assert decision.p_value is None
    assert decision.accuracy == Compared(45, None, 0.0, None)
    assert decision.slices == {"dark": Compared(4, None, 0.0, None)}
    assert decision.worst_slice is None


@pytest.mark.parametrize(("gained", "lost"), [(5, 0), (4, 0), (9, 2), (8, 2), (12, 4)])
def test_p_value_is_the_exact_tail_of_a_fair_coin(gained: int, lost: int) -> None:
    champion = right_on(range(lost))
    challenger = right_on(range(20, 20 + gained))
    tosses = gained + lost
    tail = Fraction(sum(comb(tosses, heads) for heads in range(gained, tosses + 1)), 2**tosses)

    decision = decide(champion, challenger)

    assert (decision.gained, decision.lost) == (gained, lost)
    assert decision.p_value == pytest.approx(float(tail), abs=1e-12)
    assert decision.accepted is (tail <= Fraction(1, 20))


def test_five_images_gained_and_none_lost_are_enough() -> None:
    decision = decide(right_on(range(10)), right_on(range(15)))
    assert decision.accepted
    assert decision.reasons == ("It gains 5 images and loses 0, p = 0.0312.",)
    assert decision.accuracy == Compared(45, 10 / 45, 15 / 45, 5 / 45)


def test_four_images_gained_and_none_lost_are_not() -> None:
    decision = decide(right_on(range(10)), right_on(range(14)))
    assert not decision.accepted
    assert decision.reasons == (
        "It is not shown to be right more often: it gains 4 images and loses 0, p = 0.0625, "
        "above 0.05.",
    )


def test_p_value_equal_to_the_significance_is_enough() -> None:
    recipe = LENIENT.model_copy(update={"significance": 0.0625})
    assert decide(right_on(range(10)), right_on(range(14)), recipe).accepted


def test_a_challenger_that_is_right_as_often_is_refused_at_any_significance() -> None:
    recipe = LENIENT.model_copy(update={"significance": 1.0})
    decision = decide(right_on(range(10)), right_on(range(10, 20)), recipe)
    assert decision.reasons == ("It is not right more often: it gains 10 images and loses 10.",)
    assert decision.p_value == pytest.approx(0.588099, abs=1e-6)


def test_equal_answers_give_p_1() -> None:
    decision = decide(right_on(range(10)), right_on(range(10)))
    assert decision.p_value == 1.0
    assert not decision.accepted


def test_the_champions_own_file_is_refused_as_such() -> None:
    same = contender(right_on(range(10)), "new")
    decision = judge(same, same, exam(), LENIENT)
    assert decision.reasons == (
        "It is the champion: both files have the same SHA-256.",
        "It is not right more often: it gains 0 images and loses 0.",
    )


def test_recall_may_fall_by_exactly_the_margin() -> None:
    # Emotion 0 has the 20 even rows. Of those the champion alone is right on one.
    champion, challenger = right_on(range(1)), right_on(range(1, 40, 2))
    recipe = LENIENT.model_copy(update={"recall_margin": 0.05})
    decision = decide(champion, challenger, recipe)
    assert decision.recall["angry"] == Compared(20, 0.05, 0.0, -0.05)
    assert decision.recall["disgust"] == Compared(20, 0.0, 1.0, 1.0)
    assert decision.accepted


def test_recall_that_falls_by_more_than_the_margin_refuses_a_better_challenger() -> None:
    champion, challenger = right_on(range(0, 4, 2)), right_on(range(1, 40, 2))
    recipe = LENIENT.model_copy(update={"recall_margin": 0.05})
    decision = decide(champion, challenger, recipe)
    assert not decision.accepted
    assert decision.reasons == ("Its recall of angry falls by 10.00 points, more than 5.00.",)


def two_emotions(is_trial: bool) -> Decision:  # noqa: FBT001  # read beside its value
    """Judge on the first 40 images alone: of the other emotions none is shown."""
    shown = Exam(JUDGES, LABELS[:40], {})
    whole = contender(right_on(range(15)), "new"), contender(right_on(range(10)), "old")
    new, old = (
        replace(one, probabilities=one.probabilities[:40], is_trial=is_trial) for one in whole
    )
    return judge(new, old, shown, GateRecipe())


def test_exam_that_does_not_show_every_emotion_refuses_a_better_challenger() -> None:
    decision = two_emotions(is_trial=False)
    assert decision.reasons == (
        "Val has no image of fear, happy, sad, surprise, neutral: it can't judge.",
    )


def test_emotions_that_the_exam_of_a_trial_does_not_show_do_not_count() -> None:
    decision = two_emotions(is_trial=True)
    assert decision.recall["happy"] == Compared(0, None, None, None)
    assert decision.accepted


@pytest.mark.parametrize(
    ("judged_by", "then"), [("3589 images, sha256:1b",) * 2, (None, "unknown")]
)
def test_champion_judged_by_other_images_refuses_a_better_challenger(
    judged_by: str | None, then: str
) -> None:
    old = replace(contender(right_on(range(10)), "old"), judged_by=judged_by)
    new = contender(right_on(range(15)), "new")
    assert judge(new, old, exam(), LENIENT).reasons == (
        f"Val is not the one that judged the champion: 45 images, sha256:5a now, {then} then.",
    )


def test_a_slice_that_falls_by_more_than_the_margin_refuses_a_better_challenger() -> None:
    champion, challenger = right_on(range(8)), right_on(range(2, 40))
    slices = {"dark": right_on(range(8)), "small": right_on(range(20, 40))}
    recipe = LENIENT.model_copy(update={"slice_margin": 0.05})
    decision = decide(champion, challenger, recipe, slices)
    assert decision.reasons == ("Its accuracy on dark falls by 25.00 points, more than 5.00.",)
    assert decision.slices == {
        "dark": Compared(8, 1.0, 0.75, -0.25),
        "small": Compared(20, 0.0, 1.0, 1.0),
    }


@pytest.mark.parametrize("images", [1, 8, 30])
def test_one_image_of_a_small_slice_refuses_nobody(images: int) -> None:
    champion, challenger = right_on(range(images)), right_on(range(1, 45))
    recipe = LENIENT.model_copy(update={"slice_margin": 0.03})
    assert decide(champion, challenger, recipe, {"few": right_on(range(images))}).accepted


def test_the_worst_slice_is_the_one_that_falls_most_not_the_one_with_the_lowest_accuracy() -> None:
    slices = {
        "dark": right_on(range(10)),  # 100 % -> 90 %
        "blurred": right_on(range(36, 40)),  # 0 % -> 0 %
        "rotated": right_on(),
    }
    decision = decide(right_on(range(10)), right_on(range(1, 36)), LENIENT, slices)
    assert decision.worst_slice == "dark"
    assert decision.accepted


def test_no_slice_means_no_worst_slice() -> None:
    assert decide(right_on(range(10)), right_on(range(15))).worst_slice is None


def test_every_reason_is_given() -> None:
    slices = {"dark": right_on(range(10))}
    decision = decide(right_on(range(10)), right_on(range(5)), GateRecipe(), slices)
    assert decision.reasons == (
        "It is not right more often: it gains 0 images and loses 5.",
        "Its recall of angry falls by 10.00 points, more than 5.00.",
        "Its recall of disgust falls by 15.00 points, more than 5.00.",
        "Its accuracy on dark falls by 50.00 points, more than 3.00.",
    )

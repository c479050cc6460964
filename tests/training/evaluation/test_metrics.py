import numpy as np
import numpy.typing as npt
import pytest

from emotion.labels import EMOTIONS, Emotion
from training.data.dataset import FERPLUS_CHOICES, Fer2013, Split
from training.evaluation.metrics import (
    Evaluation,
    evaluate,
    expected_calibration_error,
    ferplus_majority,
)

LABELS = [0, 0, 3, 3, 4, 6]
ANSWERS = [0, 3, 3, 3, 6, 6]  # right, wrong, right, right, wrong, right
CONFIDENCE = [0.9, 0.42, 0.61, 0.79, 0.52, 0.71]
VOTES = [
    {"anger": 8, "disgust": 2},  # counts: angry
    {"happiness": 6, "anger": 4},  # counts: happy, although FER2013 says angry
    {"happiness": 5, "neutral": 5},  # tie of two emotions
    {"contempt": 6, "happiness": 4},  # contempt wins
    {},  # no votes
    {"neutral": 4, "unknown": 4, "NF": 2},  # tie with unknown
]


def votes_of(rows: list[dict[str, int]]) -> npt.NDArray[np.uint8]:
    return np.array([[row.get(choice, 0) for choice in FERPLUS_CHOICES] for row in rows], np.uint8)


def split_of(labels: list[int], votes: npt.NDArray[np.uint8] | None = None) -> Split:
    images = np.zeros((len(labels), 48, 48), np.uint8)
    return Split("test", images, np.array(labels, np.int64), votes)


def probabilities_of(answers: list[int], confidence: list[float]) -> npt.NDArray[np.float32]:
    """Give each answer its confidence, and the other six emotions an equal share of the rest."""
    sure = np.array(confidence, np.float32)
    probabilities: npt.NDArray[np.float32] = np.repeat(
        (1 - sure)[:, np.newaxis] / np.float32(6), 7, axis=1
    )
    probabilities[np.arange(len(answers)), answers] = sure
    return probabilities


@pytest.fixture
def result() -> Evaluation:
    copies = np.array([True, False, False, False, False, False])
    split = split_of(LABELS, votes_of(VOTES))
    return evaluate(probabilities_of(ANSWERS, CONFIDENCE), split, copies)


def test_accuracy_is_the_share_of_right_answers(result: Evaluation) -> None:
    assert result.images == 6
    assert result.accuracy == 4 / 6


def test_accuracy_without_copies_leaves_the_copies_out(result: Evaluation) -> None:
    assert result.images_without_copies == 5
    assert result.accuracy_without_copies == 3 / 5


def test_ferplus_accuracy_judges_by_the_majority_instead_of_the_label(result: Evaluation) -> None:
    assert result.images_with_majority == 2
    assert result.ferplus_accuracy == 1.0


def test_ties_other_winners_and_missing_votes_have_no_majority() -> None:
    majority = ferplus_majority(split_of(LABELS, votes_of(VOTES)))
    assert majority.tolist() == [0, 3, -1, -1, -1, -1]


@pytest.mark.parametrize("choice", ["contempt", "unknown", "NF"])
def test_image_won_by_no_emotion_is_left_out(choice: str) -> None:
    votes = votes_of([{choice: 6, "sadness": 4}])
    assert ferplus_majority(split_of([4], votes)).tolist() == [-1]


def test_order_of_ferplus_choices_is_that_of_the_labels() -> None:
    votes = votes_of([{choice: 10} for choice in FERPLUS_CHOICES[:7]])
    assert ferplus_majority(split_of([0] * 7, votes)).tolist() == list(range(7))


def test_data_without_votes_has_no_ferplus_accuracy() -> None:
    result = evaluate(probabilities_of([3], [0.9]), split_of([3]), np.array([False]))
    assert result.images_with_majority == 0
    assert result.ferplus_accuracy is None


def test_nothing_but_copies_has_no_accuracy_without_them() -> None:
    result = evaluate(probabilities_of([3], [0.9]), split_of([3]), np.array([True]))
    assert result.accuracy_without_copies is None


def test_macro_f1_is_the_mean_over_the_classes_that_occur(result: Evaluation) -> None:
    # angry 2/3, happy 4/5, sad 0, neutral 2/3
    assert result.macro_f1 == pytest.approx((2 / 3 + 4 / 5 + 0 + 2 / 3) / 4)


def test_recall_is_given_for_each_emotion(result: Evaluation) -> None:
    assert result.recall == {
        Emotion.ANGRY: 0.5,
        Emotion.DISGUST: None,
        Emotion.FEAR: None,
        Emotion.HAPPY: 1.0,
        Emotion.SAD: 0.0,
        Emotion.SURPRISE: None,
        Emotion.NEUTRAL: 1.0,
    }


def test_confusion_has_labels_in_rows_and_answers_in_columns(result: Evaluation) -> None:
    expected = np.zeros((7, 7), int)
    for label, answer in zip(LABELS, ANSWERS, strict=True):
        expected[label, answer] += 1
    assert result.confusion == tuple(map(tuple, expected.tolist()))


def test_calibration_error_of_a_face_a_bin_is_the_mean_distance(result: Evaluation) -> None:
    assert result.ece == pytest.approx((0.1 + 0.42 + 0.39 + 0.21 + 0.52 + 0.29) / 6)


@pytest.mark.parametrize(
    ("confidence", "right", "error"),
    [
        ([0.61, 0.65], [True, False], 0.13),  # one bin: |1.26 - 1| / 2
        ([0.59, 0.65], [True, False], 0.53),  # two bins: (0.41 + 0.65) / 2
        ([1.0, 1.0], [True, True], 0.0),
        ([0.0, 1.0], [False, False], 0.5),
    ],
)
def test_calibration_error_compares_bin_by_bin(
    confidence: list[float], right: list[bool], error: float
) -> None:
    computed = expected_calibration_error(np.array(confidence, np.float32), np.array(right))
    assert computed == pytest.approx(error)


def test_perfect_answers_reach_one_in_everything() -> None:
    labels = list(range(len(EMOTIONS)))
    result = evaluate(probabilities_of(labels, [1.0] * 7), split_of(labels), np.zeros(7, bool))
    assert (result.accuracy, result.macro_f1, result.ece) == (1.0, 1.0, 0.0)


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "count"), [("val", 3372), ("test", 3349)])
def test_shipped_images_with_a_ferplus_majority(
    shared_fer2013: Fer2013, name: str, count: int
) -> None:
    majority = ferplus_majority(getattr(shared_fer2013, name))
    assert int(np.sum(majority >= 0)) == count


@pytest.mark.shared_data
def test_shipped_labels_agree_with_the_ferplus_majority_on_65_6_percent(
    shared_fer2013: Fer2013,
) -> None:
    majority = ferplus_majority(shared_fer2013.test)
    agreed = majority[majority >= 0] == shared_fer2013.test.labels[majority >= 0]
    assert round(float(agreed.mean()), 3) == 0.656

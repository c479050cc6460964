import dataclasses

import pytest

from emotion.faces import LANDMARK_NAMES, Box, Detection, Face
from emotion.labels import Emotion

DETECTION = Detection(Box(1.0, 2.0, 3.0, 4.0), 0.9, ((0.0, 0.0),) * 5)


def test_area_of_a_box_is_width_times_height() -> None:
    assert DETECTION.box.area == 12.0


def test_emotion_is_the_most_probable_one() -> None:
    face = Face(DETECTION, (0.1, 0.0, 0.2, 0.05, 0.4, 0.15, 0.1))
    assert face.emotion is Emotion.SAD
    assert face.confidence == 0.4


def test_first_of_two_equally_probable_emotions_is_told() -> None:
    assert Face(DETECTION, (0.0, 0.0, 0.5, 0.0, 0.5, 0.0, 0.0)).emotion is Emotion.FEAR


def test_results_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DETECTION.score = 1.0  # type: ignore[misc]  # what is tested


def test_landmarks_have_a_name_each() -> None:
    assert len(LANDMARK_NAMES) == len(DETECTION.landmarks)

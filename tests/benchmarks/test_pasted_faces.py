import cv2
import numpy as np
import pytest

from benchmarks.pasted_faces import Outcome, PastedFace, as_text, judge, paste_faces
from emotion.errors import UndecodableImage
from emotion.faces import Box, Detection, Face, ModelVersion, PhotoAnswer
from emotion.labels import EMOTIONS, Emotion
from training.data.dataset import Split

MODEL = ModelVersion("emotion_classifier", "1")
PLACE = Box(100, 100, 80, 80)
ELSEWHERE = Box(400, 100, 80, 80)
NOWHERE = ((0.0, 0.0),) * 5
HAPPY = EMOTIONS.index(Emotion.HAPPY)


@pytest.fixture(scope="module")
def split() -> Split:
    images = np.full((6, 48, 48), 255, dtype=np.uint8)
    return Split("val", images, np.arange(6, dtype=np.int64))


def seen(box: Box, label: int, score: float = 0.9) -> Face:
    probabilities = tuple(0.4 if emotion == label else 0.1 for emotion in range(7))
    return Face(Detection(box, score, NOWHERE), probabilities)


def answer(*faces: Face) -> PhotoAnswer:
    return PhotoAnswer(640, 480, faces, MODEL)


def test_each_image_gets_a_photo_that_shows_it_where_it_says(split: Split) -> None:
    faces = list(paste_faces(split))
    assert [face.label for face in faces] == [0, 1, 2, 3, 4, 5]
    for face in faces:
        photo = cv2.imdecode(np.frombuffer(face.photo, np.uint8), cv2.IMREAD_COLOR)
        assert photo is not None
        assert photo.shape == (480, 640, 3)
        x, y, side = int(face.place.x), int(face.place.y), int(face.place.width)
        assert 64 <= side <= 240
        assert photo[y + 8 : y + side - 8, x + 8 : x + side - 8].min() > 230


def test_same_seed_gives_the_same_photos(split: Split) -> None:
    assert list(paste_faces(split)) == list(paste_faces(split))
    assert list(paste_faces(split)) != list(paste_faces(split, seed=1))


def test_missed_face_and_wrong_emotion_are_wrong() -> None:
    faces = [PastedFace(b"", PLACE, HAPPY)] * 3
    answers = [answer(seen(PLACE, HAPPY)), answer(seen(PLACE, 0)), answer(seen(ELSEWHERE, HAPPY))]
    assert judge(faces, list(answers)) == Outcome(faces=3, found=2, right=1, extra=1)


def test_of_two_detections_on_the_face_the_surest_counts() -> None:
    faces = [PastedFace(b"", PLACE, HAPPY)]
    twice = answer(seen(PLACE, 0, score=0.7), seen(PLACE, HAPPY, score=0.8))
    assert judge(faces, [twice]) == Outcome(faces=1, found=1, right=1, extra=0)


def test_photo_that_cannot_be_answered_ends_the_benchmark() -> None:
    with pytest.raises(UndecodableImage):
        judge([PastedFace(b"", PLACE, HAPPY)], [UndecodableImage("no photo")])


def test_text_gives_the_ratio_to_the_crops() -> None:
    lines = as_text(Outcome(faces=200, found=190, right=120, extra=3), 0.66).splitlines()
    assert lines[1] == "found                    95.00%"
    assert lines[2] == "accuracy, photo to class 60.00% ± 3.46% (missed faces are wrong)"
    assert lines[4] == "ratio                    90.9%"

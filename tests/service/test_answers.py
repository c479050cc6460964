import json

from emotion.faces import Box, Detection, Face, ModelVersion, PhotoAnswer
from emotion.labels import EMOTIONS
from service.answers import PhotoBody
from tests.service.fake_stages import LANDMARKS, PROBABILITIES

FACE = Face(Detection(Box(-3.04, 20.06, 40.0, 50.25), 0.98765, LANDMARKS), PROBABILITIES)
ANSWER = PhotoAnswer(640, 480, (FACE,), ModelVersion("emotion_classifier", "made-up"))


def test_a_photos_answer_is_this_json() -> None:
    assert json.loads(PhotoBody.of(ANSWER).model_dump_json()) == {
        "image": {"width": 640, "height": 480},
        "faces": [
            {
                "box": {"x": -3.0, "y": 20.1, "width": 40.0, "height": 50.2},
                "score": 0.9877,
                "landmarks": {
                    "left_eye": {"x": 21.0, "y": 32.0},
                    "right_eye": {"x": 41.0, "y": 32.0},
                    "nose": {"x": 31.0, "y": 42.0},
                    "mouth_left": {"x": 23.0, "y": 52.0},
                    "mouth_right": {"x": 39.0, "y": 52.0},
                },
                "emotion": "happy",
                "confidence": 0.6,
                "probabilities": {
                    "angry": 0.05,
                    "disgust": 0.01,
                    "fear": 0.04,
                    "happy": 0.6,
                    "sad": 0.1,
                    "surprise": 0.12,
                    "neutral": 0.08,
                },
            }
        ],
        "model": {"name": "emotion_classifier", "version": "made-up"},
    }


def test_probabilities_are_in_label_order() -> None:
    (face,) = json.loads(PhotoBody.of(ANSWER).model_dump_json())["faces"]
    assert list(face["probabilities"]) == [emotion.value for emotion in EMOTIONS]


def test_no_face_is_an_empty_list() -> None:
    answer = PhotoAnswer(640, 480, (), ANSWER.model)
    assert PhotoBody.of(answer).faces == []

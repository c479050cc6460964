"""Results of photos, made up."""

from emotion.faces import Box, Detection, Face, ModelVersion
from emotion.labels import EMOTIONS, Emotion
from emotion.photo_set.results import PhotoError, PhotoFaces, PhotoResult

MODEL = ModelVersion("emotion_classifier", "1")
LANDMARKS = ((21.0, 32.0), (41.0, 32.0), (31.0, 42.0), (23.0, 52.0), (39.0, 52.0))


def face(emotion: Emotion, confidence: float) -> Face:
    """A face that shows an emotion, and the other six as little as each other."""
    rest = round((1 - confidence) / 6, 5)
    shares = tuple(confidence if one is emotion else rest for one in EMOTIONS)
    return Face(Detection(Box(10.0, 20.0, 40.0, 50.0), 0.98765, LANDMARKS), shares)


def photo(name: str, *faces: Face) -> PhotoResult:
    return PhotoResult(name, PhotoFaces(640, 480, faces))


def failed(name: str) -> PhotoResult:
    return PhotoResult(name, PhotoError("undecodable-image", "It is corrupt."))


PARTY = [
    photo("a.jpg", face(Emotion.HAPPY, 0.9), face(Emotion.SAD, 0.5)),
    failed("b.jpg"),
    photo("c.jpg"),
    photo("=d.jpg", face(Emotion.HAPPY, 0.7)),
]

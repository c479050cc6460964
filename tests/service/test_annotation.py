from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from emotion.faces import Box, Detection, Face, PhotoAnswer
from emotion.labels import EMOTIONS
from service.annotation import annotate
from tests.service.fake_stages import LANDMARKS
from tests.stages import MODEL


def face_at(box: Box, emotion: int = 3) -> Face:
    probabilities = tuple(0.94 if row == emotion else 0.01 for row in range(7))
    return Face(Detection(box, 1.0, LANDMARKS), probabilities)


def annotated(*faces: Face, width: int = 320, height: int = 240) -> Image.Image:
    image = np.zeros((height, width, 3), dtype=np.uint8)
    content = annotate(image, PhotoAnswer(width, height, faces, MODEL))
    return Image.open(BytesIO(content))


def test_a_marked_photo_is_a_jpeg_of_the_same_size() -> None:
    picture = annotated(face_at(Box(100, 80, 60, 70)))
    assert (picture.format, picture.size) == ("JPEG", (320, 240))


def test_a_box_is_drawn_at_the_face_and_a_label_above_it() -> None:
    pixels = np.asarray(annotated(face_at(Box(100, 80, 60, 70))).convert("L"))
    assert pixels[80:151, 99:103].max(axis=1).min() > 100
    assert pixels[60:80, 100:160].max() > 100
    assert pixels[90:140, 110:150].max() < 50
    assert pixels[160:, :].max() < 50


def test_each_emotion_has_a_colour_of_its_own() -> None:
    box = Box(100, 80, 60, 70)
    colours = [
        annotated(face_at(box, emotion)).getpixel((130, 81)) for emotion in range(len(EMOTIONS))
    ]
    assert len(set(colours)) == len(EMOTIONS)


@pytest.mark.parametrize(
    "box",
    [Box(-30, -40, 80, 90), Box(290, 200, 100, 100), Box(400, 300, 10, 10), Box(5, 1, 0.2, 0.2)],
)
def test_a_box_may_reach_past_the_edge(box: Box) -> None:
    assert annotated(face_at(box)).size == (320, 240)


def test_a_label_has_room_above_a_face_at_the_top() -> None:
    pixels = np.asarray(annotated(face_at(Box(100, 0, 60, 70))).convert("L"))
    assert pixels[2:12, 100:160].max() > 100


def test_no_face_leaves_the_photo_as_it_is() -> None:
    assert np.asarray(annotated()).max() == 0


def test_the_photo_itself_is_not_changed() -> None:
    image = np.zeros((240, 320, 3), dtype=np.uint8)
    annotate(image, PhotoAnswer(320, 240, (face_at(Box(9, 9, 99, 99)),), MODEL))
    assert image.max() == 0


def test_a_tiny_photo_is_marked_too() -> None:
    assert annotated(face_at(Box(0, 0, 3, 3)), width=4, height=4).size == (4, 4)

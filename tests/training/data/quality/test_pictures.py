from base64 import b64decode

import cv2
import numpy as np

from training.data.quality.pictures import face, mean_face


def pixels_of(source: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    head, _, content = source.partition(",")
    assert head == "data:image/png;base64"
    picture = cv2.imdecode(np.frombuffer(b64decode(content), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return picture.astype(np.uint8)


def test_face_is_shown_to_the_bit() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    assert np.array_equal(pixels_of(face(image)), image)


def test_mean_face_is_the_mean() -> None:
    images = np.stack([np.full((48, 48), value, dtype=np.uint8) for value in (10, 20, 60)])
    source = mean_face(images)
    assert source is not None
    assert (pixels_of(source) == 30).all()


def test_no_faces_have_no_mean() -> None:
    assert mean_face(np.empty((0, 48, 48), np.uint8)) is None

"""The shipped settings find the faces that people see."""

from pathlib import Path

import numpy as np
import pytest

from emotion.detection import DetectionSettings, FaceNetwork
from emotion.image import ImageLimits
from emotion.sighting import sight
from tests.pictures import astronaut, encode, gradient

# By eye, but for the selfie's seventh face: half of it is cut off, and its score is 0.16.
FACES = {
    "six_faces.jpg": 6,
    "five_faces.jpg": 5,
    "selfie_many.jpg": 6,
    "two_faces.jpg": 2,
    "couple_3_6mp.jpg": 2,
    "single_face.jpg": 1,
    "partial_face.jpg": 1,
    "rgba_32bit.png": 1,
    "greyscale.jpg": 1,
    "with_alpha.png": 1,
    "no_face.jpg": 0,
    "no_face_drawing.jpg": 0,
}


def faces_on(photo: bytes, network: FaceNetwork) -> int:
    return len(sight(photo, network, DetectionSettings(), ImageLimits()).detections)


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "faces"), FACES.items())
def test_photo_shows_as_many_faces_as_people_see(
    shared_data: Path, face_network: FaceNetwork, name: str, faces: int
) -> None:
    assert faces_on((shared_data / "photos" / name).read_bytes(), face_network) == faces


@pytest.mark.shared_data
def test_every_shared_photo_is_counted(shared_data: Path) -> None:
    assert {path.name for path in (shared_data / "photos").iterdir()} == set(FACES)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_astronaut_is_one_face(face_network: FaceNetwork, kind: str) -> None:
    assert faces_on(encode(astronaut(), kind), face_network) == 1


def test_four_astronauts_are_four_faces(face_network: FaceNetwork) -> None:
    assert faces_on(encode(np.tile(astronaut(), (2, 2, 1)), "PNG"), face_network) == 4


def test_picture_without_a_face_is_none(face_network: FaceNetwork) -> None:
    assert faces_on(encode(gradient(640, 480), "PNG"), face_network) == 0

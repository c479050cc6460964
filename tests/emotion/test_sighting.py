import cv2
import numpy as np
import numpy.typing as npt
import pytest

from emotion import sighting as sighting_module
from emotion.alignment import align
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.errors import UndecodableImage
from emotion.image import DecodedPhoto, ImageLimits, decode_reduced
from emotion.preprocessing import to_grey
from emotion.sighting import sight
from tests.pictures import astronaut, encode, exif_of, gradient

SETTINGS, LIMITS = DetectionSettings(), ImageLimits()


def test_face_is_found_and_cut_out(face_network: FaceNetwork) -> None:
    photo = astronaut()
    sighting = sight(encode(photo, "PNG"), face_network, SETTINGS, LIMITS)
    assert (sighting.width, sighting.height) == (512, 512)
    assert sighting.detections == detect(photo, face_network, SETTINGS)
    crop = align(to_grey(photo), sighting.detections[0].landmarks)
    assert np.array_equal(sighting.crops, crop[np.newaxis, np.newaxis])


def test_photo_on_its_side_gives_the_same_faces(face_network: FaceNetwork) -> None:
    wide = np.ascontiguousarray(astronaut()[:300])
    upright = sight(encode(wide, "PNG"), face_network, SETTINGS, LIMITS)
    turned = encode(np.rot90(wide), "PNG", exif=exif_of(6))
    sighting = sight(turned, face_network, SETTINGS, LIMITS)
    assert (sighting.width, sighting.height) == (512, 300)
    assert sighting.detections == upright.detections
    assert np.array_equal(sighting.crops, upright.crops)


def test_photo_without_faces_has_no_crops(face_network: FaceNetwork) -> None:
    sighting = sight(encode(gradient(64, 48), "PNG"), face_network, SETTINGS, LIMITS)
    assert (sighting.width, sighting.height) == (64, 48)
    assert sighting.detections == ()
    assert sighting.crops.shape == (0, 1, 48, 48)


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Asked for of the decoder, in order."""
    asked: list[int] = []

    def decode(photo: bytes, limits: ImageLimits, side: int) -> DecodedPhoto:
        asked.append(side)
        return decode_reduced(photo, limits, side)

    monkeypatch.setattr(sighting_module, "decode_reduced", decode)
    return asked


def test_large_face_of_a_large_photo_is_decoded_once(
    face_network: FaceNetwork, sides: list[int]
) -> None:
    enlarged = cv2.resize(astronaut(), (2048, 2048), interpolation=cv2.INTER_CUBIC)
    photo = enlarged.astype(np.uint8)
    sighting = sight(encode(photo, "JPEG", quality=95), face_network, SETTINGS, LIMITS)
    assert (sighting.width, sighting.height) == (2048, 2048)
    assert sides == [640]
    (face,) = sighting.detections
    (small,) = detect(astronaut(), face_network, SETTINGS)
    assert face.box.x == pytest.approx(4 * small.box.x, abs=8)
    assert face.box.height == pytest.approx(4 * small.box.height, abs=16)
    assert _typical_difference(sighting.crops[0, 0], align(to_grey(photo), face.landmarks)) < 3


def test_small_face_of_a_large_photo_is_looked_at_again(
    face_network: FaceNetwork, sides: list[int]
) -> None:
    photo = np.full((2560, 2560, 3), 127, dtype=np.uint8)
    photo[1000:1256, 1000:1256] = astronaut()[20:276, 100:356]
    sighting = sight(encode(photo, "JPEG", quality=95), face_network, SETTINGS, LIMITS)
    (face,) = sighting.detections
    first, again = sides
    assert first == 640
    assert 640 < again <= 2560
    assert _typical_difference(sighting.crops[0, 0], align(to_grey(photo), face.landmarks)) < 5


def _typical_difference(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Return the root mean square of the differences, in grey levels."""
    return float(np.sqrt(np.mean((one.astype(np.float64) - other) ** 2)))


def test_bad_photo_is_refused(face_network: FaceNetwork) -> None:
    with pytest.raises(UndecodableImage):
        sight(b"", face_network, SETTINGS, LIMITS)

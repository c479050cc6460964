import numpy as np
import pytest

from emotion.alignment import align
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.errors import UndecodableImage
from emotion.image import ImageLimits
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


def test_bad_photo_is_refused(face_network: FaceNetwork) -> None:
    with pytest.raises(UndecodableImage):
        sight(b"", face_network, SETTINGS, LIMITS)

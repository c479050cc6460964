import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from emotion.alignment import REFERENCE_POINTS, align
from emotion.detection import DetectionSettings, FaceNetwork
from emotion.errors import UnsupportedImage
from emotion.faces import Box, Detection, Landmarks
from emotion.image import ImageLimits
from emotion.pose import pose_of
from emotion.sighting import sight
from tests.pictures import astronaut, encode, gradient
from tests.training.data.fake_finder import FakeFinder
from training.data.conditions import enlarge, in_the_small, look_at_crop, look_at_photo
from training.data.finders import RetinaFaceFinder

# In pixels of the enlarged image: 4 times as large, 64 further in.
LANDMARKS: Landmarks = (
    (120.0, 140.0),
    (190.0, 140.0),
    (160.0, 180.0),
    (130.0, 210.0),
    (185.0, 210.0),
)


def face(x: float = 80, y: float = 80, side: float = 160) -> Detection:
    return Detection(Box(x, y, side, side), 0.9, LANDMARKS)


def in_the_inner(landmarks: Landmarks) -> Landmarks:
    """Return places on an enlarged image as places on what lies within its border."""
    a, b, c, d, e = ((x - 64, y - 64) for x, y in landmarks)
    return a, b, c, d, e


def noise() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)


def test_crop_is_looked_at_enlarged_with_a_mirrored_border() -> None:
    finder = FakeFinder(face())
    look_at_crop(noise(), finder)
    ((image, settings),) = finder.seen
    assert image.shape == (320, 320, 3)
    assert np.array_equal(image[:, :, 0], enlarge(noise()))
    assert np.array_equal(image[64, 60], image[64, 68])
    assert (settings.side, settings.min_score) == (320, 0.6)


def test_landmarks_of_a_crop_are_in_its_own_pixels() -> None:
    look = look_at_crop(noise(), FakeFinder(face()))
    expected = [(14, 19), (31.5, 19), (24, 29), (16.5, 36.5), (30.25, 36.5)]
    assert list(look.landmarks) == expected
    assert list(in_the_small(LANDMARKS)) == expected


def test_single_face_has_score_and_pose() -> None:
    look = look_at_crop(noise(), FakeFinder(face()))
    pose = pose_of(LANDMARKS)
    assert (look.faces, look.score) == (1, 0.9)
    assert look.pose == (pose.yaw, pose.pitch, pose.roll)


def test_crop_is_aligned_by_the_code_that_serves() -> None:
    look = look_at_crop(noise(), FakeFinder(face()))
    assert np.array_equal(look.aligned, align(enlarge(noise()), LANDMARKS))
    assert not np.array_equal(look.aligned, look.image)


@pytest.mark.parametrize("found", [(), (face(), face(90, 90))])
def test_without_a_single_face_nothing_is_known_of_it(found: tuple[Detection, ...]) -> None:
    look = look_at_crop(noise(), FakeFinder(*found))
    assert look.faces == len(found)
    assert np.isnan([look.score, *look.pose, *np.ravel(look.landmarks)]).all()
    assert np.array_equal(look.aligned, noise())
    assert np.array_equal(look.image, noise())


@pytest.mark.parametrize("found", [(), (face(), face(90, 90))])
def test_what_is_no_single_face_is_looked_at_without_its_mirrored_border(
    found: tuple[Detection, ...],
) -> None:
    inner = Detection(Box(16, 16, 160, 160), 0.7, in_the_inner(LANDMARKS))
    finder = FakeFinder(*found, then=[inner])
    look = look_at_crop(noise(), finder)
    _, (image, settings) = finder.seen
    assert np.array_equal(image[:, :, 0], enlarge(noise())[64:256, 64:256])
    assert (settings.side, settings.min_score) == (192, 0.6)
    assert (look.faces, look.score) == (1, 0.7)
    assert look.landmarks == in_the_small(LANDMARKS)
    assert np.array_equal(look.aligned, align(enlarge(noise()), LANDMARKS))


@pytest.mark.parametrize(
    ("first", "then", "faces"),
    [((), (face(), face(90, 90)), 0), ((face(), face(90, 90)), (), 2)],
)
def test_how_many_there_are_is_what_was_seen_with_the_border(
    first: tuple[Detection, ...], then: tuple[Detection, ...], faces: int
) -> None:
    assert look_at_crop(noise(), FakeFinder(*first, then=then)).faces == faces


def test_face_beside_its_mirror_image_is_found(face_network: FaceNetwork) -> None:
    cut = astronaut()[20:150, 180:310].mean(axis=2).astype(np.uint8)
    crop = cv2.resize(cut, (48, 48), interpolation=cv2.INTER_AREA).astype(np.uint8)
    finder = RetinaFaceFinder(face_network)
    mirrored = np.repeat(enlarge(crop)[:, :, np.newaxis], 3, axis=2)
    assert len(finder(mirrored, DetectionSettings(side=320))) == 2
    look = look_at_crop(crop, finder)
    assert look.faces == 1
    assert look.score > 0.9


@pytest.mark.parametrize(("x", "y"), [(-40, 80), (200, 80), (80, -40), (80, 200)])
def test_mirror_image_in_the_border_is_no_face(x: float, y: float) -> None:
    assert look_at_crop(noise(), FakeFinder(face(), face(x, y))).faces == 1


def test_brightness_contrast_and_sharpness_are_those_of_the_pixels() -> None:
    image = np.zeros((48, 48), dtype=np.uint8)
    image[:, 24:] = 200
    look = look_at_crop(image, FakeFinder())
    assert (look.brightness, look.contrast) == (100, 100)
    # Two of 48 columns differ from the mean: by 200 and by -200.
    assert look.sharpness == pytest.approx(200**2 * 2 / 48)


def test_blurred_image_is_less_sharp() -> None:
    blurred = cv2.GaussianBlur(noise(), (5, 5), 0).astype(np.uint8)
    looks = [look_at_crop(image, FakeFinder()).sharpness for image in (noise(), blurred)]
    assert looks[1] < looks[0] / 10


def test_blank_image_has_no_contrast_at_all() -> None:
    look = look_at_crop(np.full((48, 48), 77, dtype=np.uint8), FakeFinder())
    assert (look.brightness, look.contrast, look.sharpness) == (77, 0, 0)


def test_photos_largest_face_is_cut_out_as_it_is_when_served(face_network: FaceNetwork) -> None:
    photo = encode(astronaut(), "JPEG")
    served = sight(photo, face_network, DetectionSettings(), ImageLimits())
    look = look_at_photo(photo, RetinaFaceFinder(face_network))
    assert look is not None
    assert np.array_equal(look.image, served.crops[0, 0])
    assert np.array_equal(look.aligned, look.image)
    assert (look.faces, look.score) == (1, served.detections[0].score)


def test_landmarks_of_a_photos_face_lie_where_alignment_brought_them(
    face_network: FaceNetwork,
) -> None:
    look = look_at_photo(encode(astronaut(), "PNG"), RetinaFaceFinder(face_network))
    assert look is not None
    assert np.abs(np.array(look.landmarks) - np.array(REFERENCE_POINTS)).max() < 5


def test_photo_with_several_faces_gives_the_largest() -> None:
    large, small = face(), face(0, 0, 20)
    look = look_at_photo(encode(gradient(320, 320), "PNG"), FakeFinder(large, small))
    assert look is not None
    assert look.faces == 2
    assert look.score == large.score
    assert not math.isnan(look.pose[0])


def test_photo_without_a_face_gives_none() -> None:
    assert look_at_photo(encode(gradient(32, 32), "PNG"), FakeFinder()) is None


def test_what_is_no_photo_is_refused() -> None:
    with pytest.raises(UnsupportedImage):
        look_at_photo(b"no photo", FakeFinder())

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from emotion.alignment import REFERENCE_POINTS, align, similarity
from emotion.faces import Landmarks
from tests.pictures import gradient

CORNERS: Landmarks = ((0.0, 0.0), (4.0, 0.0), (2.0, 2.0), (0.0, 4.0), (4.0, 4.0))


def moved(points: Landmarks, turn: complex, shift: complex) -> Landmarks:
    """Turn, scale and shift points by numbers in the complex plane."""
    images = [complex(x, y) * turn + shift for x, y in points]
    first, second, third, fourth, fifth = ((image.real, image.imag) for image in images)
    return first, second, third, fourth, fifth


def scaled(points: Landmarks, factor: float, x: float = 0, y: float = 0) -> Landmarks:
    return moved(points, complex(factor), complex(x, y))


@pytest.mark.parametrize("turn", [1 + 0j, 2.5 + 0j, 1j, -0.3 + 0.4j, 100 - 7j])
@pytest.mark.parametrize("shift", [0j, 1000 - 30.25j])
def test_known_turn_scale_and_shift_are_recovered(turn: complex, shift: complex) -> None:
    transform = similarity(REFERENCE_POINTS, moved(REFERENCE_POINTS, turn, shift))
    expected = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    assert np.abs(transform - expected).max() < 1e-9


def test_closest_of_several_is_the_least_squares_one() -> None:
    stray = (*CORNERS[:4], (5.0, 5.0))
    transform = similarity(CORNERS, stray)
    source, target = np.array(CORNERS), np.array(stray)

    def miss(candidate: npt.NDArray[np.float64]) -> float:
        return float(((source @ candidate[:, :2].T + candidate[:, 2] - target) ** 2).sum())

    for nudge in np.random.default_rng(0).normal(0, 1e-3, (50, 4)):
        a, b, x, y = nudge
        assert miss(transform) < miss(transform + np.array([[a, -b, x], [b, a, y]]))


def test_mirrored_face_is_not_mirrored_back() -> None:
    left, right, nose, mouth_left, mouth_right = ((48 - x, y) for x, y in REFERENCE_POINTS)
    transform = similarity((left, right, nose, mouth_left, mouth_right), REFERENCE_POINTS)
    assert np.linalg.det(transform[:, :2]) > 0


def test_points_in_one_place_give_a_shift_alone() -> None:
    transform = similarity(((3.0, 4.0),) * 5, CORNERS)
    assert transform.tolist() == [[1, 0, -1], [0, 1, -2]]


def test_face_in_place_is_returned_to_the_bit() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    assert np.array_equal(align(image, REFERENCE_POINTS), image)


def test_face_elsewhere_in_a_photo_is_returned_to_the_bit() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    crop = align(photo, scaled(REFERENCE_POINTS, 1, x=201, y=77))
    assert np.array_equal(crop, photo[77 : 77 + 48, 201 : 201 + 48])


def test_face_upside_down_is_turned_up() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    crop = align(np.ascontiguousarray(photo[::-1, ::-1]), scaled(REFERENCE_POINTS, -1, 48, 48))
    assert np.array_equal(crop, photo)


@pytest.mark.parametrize("factor", [2, 3, 16])
def test_larger_face_is_averaged_exactly(factor: int) -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    photo = blocks.repeat(factor, axis=0).repeat(factor, axis=1)
    assert np.array_equal(align(photo, scaled(REFERENCE_POINTS, factor)), blocks)


@pytest.mark.parametrize("factor", [2, 4, 16])
def test_fine_stripes_of_a_larger_face_become_grey(factor: int) -> None:
    photo = np.zeros((48 * factor, 48 * factor), dtype=np.uint8)
    photo[:, ::2] = 200
    assert np.unique(align(photo, scaled(REFERENCE_POINTS, factor))).tolist() == [100]


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.3, 1.6, 2.7, 5.3, 20.0, 41.7])
def test_frame_stays_in_place_at_any_size(factor: float) -> None:
    side = round(96 * factor)
    wide = cv2.resize(gradient(96, 96)[:, :, 0], (side, side)).astype(np.uint8)
    step = side / 96
    crop = align(wide, scaled(REFERENCE_POINTS, step, x=24 * step, y=24 * step))
    middle = gradient(96, 96)[24:72, 24:72, 0]
    assert abs(float(crop.mean()) - float(middle.mean())) < 0.5


def test_outside_of_the_photo_is_its_mirror_image() -> None:
    photo = np.tile(np.arange(48, dtype=np.uint8), (48, 1))
    crop = align(photo, scaled(REFERENCE_POINTS, 1, x=-10))
    assert crop[0, :13].tolist() == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2]


def test_face_far_right_in_a_very_wide_photo_is_cut_out() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (60, 70_000), dtype=np.uint8)
    crop = align(photo, scaled(REFERENCE_POINTS, 1, x=69_900, y=5))
    assert np.array_equal(crop, photo[5:53, 69_900:69_948])


def test_landmarks_in_one_place_still_give_a_crop() -> None:
    assert align(np.zeros((10, 10), dtype=np.uint8), ((5.0, 5.0),) * 5).shape == (48, 48)


def test_landmarks_a_hair_apart_still_give_a_crop() -> None:
    photo = np.zeros((10, 10), dtype=np.uint8)
    assert align(photo, scaled(REFERENCE_POINTS, 1e-12, 5, 5)).shape == (48, 48)


def test_reference_points_frame_a_face() -> None:
    (left_x, left_y), (right_x, right_y), (_, nose_y), mouth_left, mouth_right = REFERENCE_POINTS
    assert 0 < left_x < 24 < right_x < 48
    assert abs(left_y - right_y) < 1
    assert left_y < nose_y < mouth_left[1] < 48
    assert mouth_left[0] < mouth_right[0]

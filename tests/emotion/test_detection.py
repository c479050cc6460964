import numpy as np
import numpy.typing as npt
import pytest

from emotion.detection import (
    DetectionSettings,
    FaceNetwork,
    Floats,
    boxes_from,
    detect,
    points_from,
    priors_of,
    scale_to_side,
)
from emotion.faces import Detection
from tests.pictures import astronaut, gradient

SETTINGS = DetectionSettings()


class FakeNetwork:
    """Is as sure of each prior as it is told; every face is exactly its prior."""

    def __init__(self, scores: dict[int, float]) -> None:
        self._scores = scores
        self.seen: list[npt.NDArray[np.uint8]] = []

    def __call__(self, images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        self.seen.append(images)
        count = len(priors_of(images.shape[1], images.shape[2]))
        scores = np.zeros((1, count), dtype=np.float32)
        for prior, score in self._scores.items():
            scores[0, prior] = score
        return np.zeros((1, count, 4), np.float32), scores, np.zeros((1, count, 10), np.float32)


def numbers(detection: Detection) -> list[float]:
    box = detection.box
    return [box.x, box.y, box.width, box.height]


def test_priors_of_640_by_480_are_12600() -> None:
    assert priors_of(480, 640).shape == (12_600, 4)


def test_priors_of_a_size_between_strides_reach_over_the_edge() -> None:
    assert len(priors_of(100, 61)) == 2 * (13 * 8 + 7 * 4 + 4 * 2)


@pytest.mark.parametrize(
    ("prior", "centre", "size"),
    [
        (0, (4, 4), 16),
        (1, (4, 4), 32),
        (2, (12, 4), 16),
        (2 * 80, (4, 12), 16),
        (9_600, (8, 8), 64),
        (9_601, (8, 8), 128),
        (12_000, (16, 16), 256),
        (12_599, (624, 464), 512),
    ],
)
def test_prior_lies_where_it_does(prior: int, centre: tuple[int, int], size: int) -> None:
    pixels = priors_of(480, 640)[prior] * np.array([640, 480, 640, 480])
    assert pixels == pytest.approx([*centre, size, size], rel=1e-6)


def test_priors_can_not_be_changed_by_who_gets_them() -> None:
    with pytest.raises(ValueError, match="read-only"):
        priors_of(480, 640)[0, 0] = 1


def test_box_without_offsets_is_its_prior() -> None:
    prior = np.array([[0.5, 0.25, 0.2, 0.1]], dtype=np.float32)
    boxes = boxes_from(np.zeros((1, 4), np.float32), prior)
    assert boxes[0] == pytest.approx([0.4, 0.2, 0.2, 0.1])


def test_offsets_move_a_box_by_shares_of_its_prior() -> None:
    prior = np.array([[0.5, 0.25, 0.2, 0.1]], dtype=np.float32)
    offsets = np.array([[10, -10, 5 * np.log(2), 0]], dtype=np.float32)
    assert boxes_from(offsets, prior)[0] == pytest.approx([0.5, 0.1, 0.4, 0.1])


def test_points_without_offsets_are_their_priors_centre() -> None:
    prior = np.array([[0.5, 0.25, 0.2, 0.1]], dtype=np.float32)
    points = points_from(np.zeros((1, 10), np.float32), prior)
    assert points.tolist() == [[[0.5, 0.25]] * 5]


def test_offsets_move_points_by_shares_of_their_prior() -> None:
    prior = np.array([[0.5, 0.25, 0.2, 0.1]], dtype=np.float32)
    offsets = np.array([[10, 0, 0, 10, -10, 0, 0, -10, 20, 20]], dtype=np.float32)
    expected = [[0.7, 0.25], [0.5, 0.35], [0.3, 0.25], [0.5, 0.15], [0.9, 0.45]]
    assert points_from(offsets, prior)[0] == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1280, 960, (480, 640, 3)),
        (20, 10, (320, 640, 3)),
        (10, 20, (640, 320, 3)),
        (20_000, 1, (1, 640, 3)),
        (1, 1, (640, 640, 3)),
    ],
)
def test_longest_side_is_scaled(width: int, height: int, expected: tuple[int, int, int]) -> None:
    assert scale_to_side(np.zeros((height, width, 3), np.uint8), 640).shape == expected


def test_photo_of_the_right_size_stays_as_it_is() -> None:
    photo = gradient(64, 48)
    assert np.array_equal(scale_to_side(photo, 64), photo)


def test_network_sees_one_scaled_photo() -> None:
    network = FakeNetwork({})
    photo = gradient(64, 48)
    detect(photo, network, DetectionSettings(side=32))
    assert np.array_equal(network.seen[0], scale_to_side(photo, 32)[np.newaxis])


def test_photo_without_faces_gives_nothing() -> None:
    assert detect(gradient(640, 480), FakeNetwork({}), SETTINGS) == ()


@pytest.mark.parametrize(("score", "found"), [(0.59, 0), (0.6, 1), (0.61, 1)])
def test_face_counts_from_the_least_score_on(score: float, found: int) -> None:
    settings = DetectionSettings(min_score=float(np.float32(0.6)))
    assert len(detect(gradient(640, 480), FakeNetwork({0: score}), settings)) == found


def test_face_is_told_in_pixels_of_the_photo() -> None:
    photo = np.zeros((960, 1280, 3), dtype=np.uint8)
    (face,) = detect(photo, FakeNetwork({9_600: 0.75}), SETTINGS)
    assert numbers(face) == pytest.approx([-48, -48, 128, 128], rel=1e-5)
    assert np.array(face.landmarks) == pytest.approx(np.full((5, 2), 16))
    assert face.score == 0.75


def test_surest_of_overlapping_boxes_is_kept() -> None:
    large, shifted = 12_000, 12_002  # 256 pixels each, 32 apart: they share 78 %
    faces = detect(gradient(640, 480), FakeNetwork({large: 0.8, shifted: 0.9}), SETTINGS)
    assert [face.score for face in faces] == [pytest.approx(0.9)]


def test_boxes_that_overlap_little_are_two_faces() -> None:
    left, right = 12_000, 12_000 + 2 * 8  # 256 pixels each, 256 apart
    faces = detect(gradient(640, 480), FakeNetwork({left: 0.8, right: 0.9}), SETTINGS)
    assert len(faces) == 2


def test_largest_face_comes_first() -> None:
    small, middle, large = 9_599, 11_999, 12_000
    scores = {small: 0.99, middle: 0.7, large: 0.8}
    faces = detect(gradient(640, 480), FakeNetwork(scores), SETTINGS)
    assert [round(face.box.width) for face in faces] == [256, 128, 32]


def test_astronaut_has_one_face_with_its_parts_in_place(face_network: FaceNetwork) -> None:
    (face,) = detect(astronaut(), face_network, SETTINGS)
    (left, top), (right, _), nose, mouth_left, mouth_right = face.landmarks
    box = face.box
    assert face.score > 0.99
    assert (box.x + box.width / 2, box.y + box.height / 2) == pytest.approx((222, 115), abs=10)
    assert box.x < left < nose[0] < right < box.x + box.width
    assert box.y < top < nose[1] < mouth_left[1] < box.y + box.height
    assert mouth_left[0] < nose[0] < mouth_right[0] < right


def test_mirrored_face_is_found_at_the_mirrored_place(face_network: FaceNetwork) -> None:
    photo = astronaut()
    (face,) = detect(photo, face_network, SETTINGS)
    (mirrored,) = detect(np.ascontiguousarray(photo[:, ::-1]), face_network, SETTINGS)
    swapped = [mirrored.landmarks[i] for i in (1, 0, 2, 4, 3)]
    there_and_back = [(512 - x, y) for x, y in swapped]
    assert np.abs(np.array(there_and_back) - np.array(face.landmarks)).max() < 3


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 640), (640, 1), (61, 100)])
def test_photo_of_any_shape_gets_an_answer(
    face_network: FaceNetwork, width: int, height: int
) -> None:
    assert detect(gradient(width, height), face_network, SETTINGS) == ()

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from emotion.alignment import REFERENCE_POINTS
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import Landmarks
from emotion.image import ImageLimits, decode
from emotion.pose import HEAD_POINTS, Pose, pose_of
from tests.pictures import astronaut

# Yaw, pitch, roll in degrees.
TURNS = [
    (0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 15), (0, 0, -90),
    (-40, 10, 25), (20, -35, 120), (75, -10, 5), (-85, 5, -5),
]  # fmt: skip


def turned(yaw: float, pitch: float, roll: float) -> npt.NDArray[np.float64]:
    """The average head [5, 3], turned: tilted, then nodding, then turning."""
    y, p, r = np.radians([yaw, pitch, roll])
    around_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    around_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    around_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    turn = np.array(around_y) @ np.array(around_x) @ np.array(around_z)
    head: npt.NDArray[np.float64] = np.array(HEAD_POINTS) @ turn.T
    return head


def seen(head: npt.NDArray[np.float64], distance: float = np.inf) -> Landmarks:
    """What a camera sees of a head [5, 3], from so many half heads away: pixels of a photo."""
    nearer = 1.0 if np.isinf(distance) else distance / (distance - head[:, 2:])
    points = head[:, :2] * nearer * 80 + [300, 200]
    left, right, nose, mouth_left, mouth_right = ((float(x), float(y)) for x, y in points)
    return left, right, nose, mouth_left, mouth_right


def angles(pose: Pose) -> list[float]:
    return [pose.yaw, pose.pitch, pose.roll]


@pytest.mark.parametrize("turn", TURNS)
def test_turn_of_the_average_head_far_away_is_recovered(turn: tuple[int, int, int]) -> None:
    assert angles(pose_of(seen(turned(*turn)))) == pytest.approx(turn, abs=1e-6)


@pytest.mark.parametrize("turn", TURNS)
def test_turn_of_a_head_two_metres_away_is_recovered_within_three_degrees(
    turn: tuple[int, int, int],
) -> None:
    # A head is about 15 cm wide, the model's unit 10 cm.
    assert angles(pose_of(seen(turned(*turn), distance=20))) == pytest.approx(turn, abs=3)


@pytest.mark.parametrize("turn", [(0, 0, 0), (25, -10, 5), (-45, 10, -10)])
def test_pixel_of_noise_turns_a_head_by_a_few_degrees(turn: tuple[int, int, int]) -> None:
    points = np.array(seen(turned(*turn)))
    generator = np.random.default_rng(0)
    poses = [
        angles(pose_of(tuple(map(tuple, points + generator.normal(0, 1, points.shape)))))  # type: ignore[arg-type]  # five pairs
        for _ in range(200)
    ]
    assert np.abs(np.mean(poses, axis=0) - turn).max() < 0.6
    assert np.std(poses, axis=0).max() < 3.5


def test_nose_to_the_right_of_the_photo_is_a_positive_yaw() -> None:
    left, right, (x, y), mouth_left, mouth_right = REFERENCE_POINTS
    assert pose_of((left, right, (x + 4, y), mouth_left, mouth_right)).yaw > 15


def test_nose_further_up_is_a_positive_pitch() -> None:
    left, right, (x, y), mouth_left, mouth_right = REFERENCE_POINTS
    assert pose_of((left, right, (x, y - 4), mouth_left, mouth_right)).pitch > 15


def test_right_eye_below_the_left_is_a_positive_roll() -> None:
    assert pose_of(seen(turned(0, 0, 20))).roll == pytest.approx(20)
    points = seen(turned(0, 0, 20))
    assert points[1][1] > points[0][1]


@pytest.mark.parametrize("scale", [0.01, 1, 100])
def test_size_and_place_of_a_face_do_not_matter(scale: float) -> None:
    points = np.array(seen(turned(-40, 10, 25))) * scale + [7, -1000]
    pose = pose_of(tuple(map(tuple, points)))  # type: ignore[arg-type]  # five pairs
    assert angles(pose) == pytest.approx([-40, 10, 25], abs=1e-6)


def test_mirrored_face_looks_to_the_other_side() -> None:
    left, right, nose, mouth_left, mouth_right = seen(turned(30, 10, 5))
    mirrored = [(600 - x, y) for x, y in (right, left, nose, mouth_right, mouth_left)]
    pose = pose_of((mirrored[0], mirrored[1], mirrored[2], mirrored[3], mirrored[4]))
    assert angles(pose) == pytest.approx([-30, 10, -5], abs=1e-6)


def test_mean_face_of_fer2013_looks_at_the_camera() -> None:
    assert angles(pose_of(REFERENCE_POINTS)) == pytest.approx([0, 0, 0], abs=1.5)


@pytest.mark.parametrize("points", [((5.0, 5.0),) * 5, tuple((float(n), 2.0) for n in range(5))])
def test_points_without_a_shape_give_numbers(points: Landmarks) -> None:
    assert np.isfinite(angles(pose_of(points))).all()


def test_points_in_one_place_give_zeros() -> None:
    assert pose_of(((5.0, 5.0),) * 5) == Pose(0.0, 0.0, 0.0)


def test_astronaut_faces_the_camera(face_network: FaceNetwork) -> None:
    (face,) = detect(astronaut(), face_network, DetectionSettings())
    pose = pose_of(face.landmarks)
    assert abs(pose.yaw) < 5
    assert abs(pose.pitch) < 20  # her smile lifts the corners of her mouth
    assert abs(pose.roll) < 5


@pytest.mark.shared_data
def test_profile_looks_to_the_left(shared_data: Path, face_network: FaceNetwork) -> None:
    photo = decode((shared_data / "photos" / "greyscale.jpg").read_bytes(), ImageLimits())
    (face,) = detect(photo, face_network, DetectionSettings())
    assert -90 < pose_of(face.landmarks).yaw < -60

"""Which way a head is turned, told from the five landmarks of its face.

The landmarks are compared with those of an average head, seen from so far away that depth
doesn't change size (a scaled orthographic camera): a photo says nothing of its lens, and
faces are small against their distance. Yaw and roll are right within a few degrees; near
profiles, where the far eye is hidden, yaw is up to 20 too small. Pitch is the least certain:
a smile or an open mouth moves it by 10 to 15.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from emotion.faces import Landmarks

# The average head's landmarks in the order of faces.LANDMARK_NAMES: x to the right, y down,
# z towards the camera, seen from the front. From the mean of the Basel Face Model as
# Microsoft's Deep3DFaceReconstruction has it (preprocess_img.py, lm3D), with both sides made
# alike; an eye is the middle of its corners, as detectors see it. The nose is 0.042 lower
# than there: where the detector that serves sees it on FER2013's mean face
# (alignment.REFERENCE_POINTS), which is taken to look straight at the camera.
HEAD_POINTS: tuple[tuple[float, float, float], ...] = (
    (-0.3106, -0.2900, 0.1328),
    (0.3106, -0.2900, 0.1328),
    (0.0, 0.0886, 0.5524),
    (-0.2503, 0.3813, 0.2232),
    (0.2503, 0.3813, 0.2232),
)


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is turned against the camera; all zero for one that faces it upright.

    The head is first tilted (roll, around the line from the back of the head to the nose),
    then nods (pitch), then turns (yaw).

    Attributes:
        yaw: degrees, -180 to 180; positive where the face looks to the right of the photo.
        pitch: degrees, -90 to 90; positive where it looks up.
        roll: degrees, -180 to 180; positive where it is tilted clockwise in the photo.
    """

    yaw: float
    pitch: float
    roll: float


def pose_of(landmarks: Landmarks) -> Pose:
    """Tell how a head is turned.

    The linear map from the average head to the landmarks is found by least squares, and the
    rotation nearest to it taken (DeMenthon and Davis 1995, "POS", with the orthogonal
    Procrustes solution in place of one row at a time).

    Args:
        landmarks: of one face, in pixels of any size.

    Returns:
        The pose; landmarks that all coincide give zeros.
    """
    seen = np.array(landmarks, dtype=np.float64)
    seen -= seen.mean(axis=0)
    if not seen.any():
        return Pose(0.0, 0.0, 0.0)
    linear = (_head_inverse() @ seen).T  # [2, 3]
    left, _, right = np.linalg.svd(linear, full_matrices=False)
    across, down = left @ right
    return _angles(across, down)


@lru_cache(maxsize=1)
def _head_inverse() -> npt.NDArray[np.float64]:
    """Return float64 [3, 5]: what solves for the linear map by least squares."""
    head = np.array(HEAD_POINTS)
    inverse: npt.NDArray[np.float64] = np.linalg.pinv(head - head.mean(axis=0))
    return inverse


def _angles(across: npt.NDArray[np.float64], down: npt.NDArray[np.float64]) -> Pose:
    """Take yaw, pitch and roll from the first two rows of a rotation matrix.

    The matrix is yaw times pitch times roll; its last column is where the nose points.
    """
    depth = across[0] * down[1] - across[1] * down[0]  # z of their cross product
    yaw = math.atan2(across[2], depth)
    pitch = -math.asin(float(np.clip(down[2], -1.0, 1.0)))
    roll = math.atan2(down[0], down[1])
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))

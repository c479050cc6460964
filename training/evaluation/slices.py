"""Slices of a split: the hard conditions, judged each on its own.

A slice is an absolute limit on what ``prepare`` measured, so that it means the same faces
whatever else is in the split. Each limit takes in about a tenth of FER2013's training images;
an image may lie in several slices, or in none.
"""

import numpy as np
import numpy.typing as npt

from training.data.dataset import Conditions, Split

DARKEST = 85.0  # mean of the pixels, 0 to 255
BLURRIEST = 0.4  # variance of the Laplacian over that of the pixels: dim faces aren't blurred
LARGEST_YAW = 30.0  # degrees either way
LARGEST_ROLL = 17.0  # degrees either way
SMALLEST_FACE = 13.0  # pixels between the eyes, of 48

Mask = npt.NDArray[np.bool_]


def slices_of(split: Split) -> dict[str, Mask]:
    """Return each slice's rows, bool [n]: dark, blurred, rotated, small, no single face.

    "rotated" is turned to a side or tilted; "small" is framed loosely. Both are measured on
    the face, so an image on which the detector finds none (or several) is in "no single face"
    in their place.

    Returns:
        Nothing where the data was not prepared.
    """
    if split.conditions is None:
        return {}
    taken = split.conditions
    yaw, _, roll = np.abs(taken.pose).T
    # A comparison with NaN is false: no face, no slice.
    return {
        "dark": taken.brightness < DARKEST,
        "blurred": taken.sharpness < BLURRIEST * taken.contrast**2,
        "rotated": (yaw > LARGEST_YAW) | (roll > LARGEST_ROLL),
        "small": _eye_distance(taken) < SMALLEST_FACE,
        "no single face": np.isnan(taken.score),
    }


def _eye_distance(taken: Conditions) -> npt.NDArray[np.float32]:
    left, right = taken.landmarks[:, 0], taken.landmarks[:, 1]
    distance: npt.NDArray[np.float32] = np.linalg.norm(right - left, axis=1)
    return distance

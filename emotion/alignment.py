"""Framing: turn, scale and shift a face so that its landmarks lie where FER2013's do.

The classifier learned from FER2013's 48x48 framing, so a served face has to be framed the
same way. ``REFERENCE_POINTS`` was measured on FER2013's training faces with the detector
that serves: ``python -m training measure-framing --sample 6000``.
"""

import cv2
import numpy as np
import numpy.typing as npt

from emotion.faces import Landmarks
from emotion.preprocessing import CROP_SIDE

# Mean places in pixels of the 48x48 crop, in the order of faces.LANDMARK_NAMES. Of 6,000
# images 5,830 show exactly one face; a point strays by 4 to 5 pixels (standard deviation).
REFERENCE_POINTS: Landmarks = (
    (15.2, 18.2),
    (32.2, 18.1),
    (23.6, 28.7),
    (17.1, 36.9),
    (30.7, 36.8),
)
# A face far larger than the crop is first warped to a multiple of its size, then averaged
# down, or fine detail would alias. Beyond this multiple the warp itself skips pixels.
_MAX_OVERSAMPLING = 16


def similarity(source: Landmarks, target: Landmarks) -> npt.NDArray[np.float64]:
    """Return the turn, scale and shift that brings ``source`` closest to ``target``.

    Least squares over the points, without mirroring (Umeyama 1991; in the plane it has a
    closed form in complex numbers).

    Returns:
        float64 [2, 3]: maps (x, y, 1) to (x, y). Points that all coincide give a shift alone.
    """
    from_points = np.array([complex(x, y) for x, y in source])
    to_points = np.array([complex(x, y) for x, y in target])
    from_centre, to_centre = from_points.mean(), to_points.mean()
    centred = from_points - from_centre
    spread = float(np.sum(np.abs(centred) ** 2))
    turn = np.sum(np.conj(centred) * (to_points - to_centre)) / spread if spread else 1 + 0j
    shift = to_centre - turn * from_centre
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def enlargement(landmarks: Landmarks) -> float:
    """Return how many pixels of the crop ``align`` makes of one of the photo's, along a side."""
    transform = similarity(landmarks, REFERENCE_POINTS)
    return float(np.hypot(transform[0, 0], transform[1, 0]))


def align(grey: npt.NDArray[np.uint8], landmarks: Landmarks) -> npt.NDArray[np.uint8]:
    """Cut a face out of a photo in FER2013's framing.

    Args:
        grey: uint8 [height, width], the whole photo.
        landmarks: of the face, in pixels of the photo.

    Returns:
        uint8 [48, 48]. What lies outside the photo is filled by its mirror image.
    """
    transform = similarity(landmarks, REFERENCE_POINTS)
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    multiple = int(np.clip(round(1 / max(scale, 1e-9)), 1, _MAX_OVERSAMPLING))
    finer = transform * multiple
    # OpenCV counts from the centre of the first pixel, half a pixel further in on both sides.
    finer[:, 2] += finer[:, :2].sum(axis=1) / 2 - 0.5
    side = CROP_SIDE * multiple
    crop = cv2.warpAffine(
        grey, finer, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    if multiple > 1:
        crop = cv2.resize(crop, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_AREA)
    return crop.astype(np.uint8, copy=False)

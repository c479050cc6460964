"""Looks at one face: how sharp, how bright, how turned, and the face in a served face's framing.

There are two kinds of input: FER2013's 48x48 faces, framed already, and photos of any size.
Photos go the way they go when they are served, so that what is learnt is what will be seen.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from emotion.alignment import REFERENCE_POINTS, align, similarity
from emotion.detection import DetectionSettings
from emotion.faces import Detection, Landmarks
from emotion.image import ImageLimits, decode
from emotion.pose import pose_of
from emotion.preprocessing import CROP_SIDE, to_grey
from training.data.finders import FaceFinder

# A FER2013 face fills its image, and the detector wants to see around it and at a size it knows.
ENLARGEMENT = 4
BORDER = 64
ENLARGED_SIDE = CROP_SIDE * ENLARGEMENT + 2 * BORDER

CROP_SETTINGS = DetectionSettings(side=ENLARGED_SIDE)
PHOTO_SETTINGS = DetectionSettings()
LIMITS = ImageLimits()

_NOT_MEASURED = (math.nan, math.nan, math.nan)
_NOWHERE: Landmarks = ((math.nan, math.nan),) * 5


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What was seen of one face. What isn't known without a single face is NaN.

    Attributes:
        image: uint8 [48, 48], as it is learnt from.
        aligned: uint8 [48, 48], framed as a served face; ``image`` without a single face.
        faces: how many faces the detector found; one if it did so without the border alone.
        score: the detector's, 0 to 1.
        landmarks: in pixels of ``image``.
        pose: yaw, pitch and roll in degrees (``emotion.pose``).
        brightness: mean of the pixels of ``image``, 0 to 255.
        contrast: their standard deviation.
        sharpness: variance of the Laplacian of ``image``; low means blurred.
    """

    image: npt.NDArray[np.uint8]
    aligned: npt.NDArray[np.uint8]
    faces: int
    score: float
    landmarks: Landmarks
    pose: tuple[float, float, float]
    brightness: float
    contrast: float
    sharpness: float


def look_at_crop(image: npt.NDArray[np.uint8], finder: FaceFinder) -> Look:
    """Look at a FER2013 face, uint8 [48, 48].

    Most faces are found only with something around them. Where a face touches the edge, its mirror
    image there makes a second one, so what isn't a single face is looked at without a border too.
    """
    enlarged = enlarge(image)
    found = [face for face in _seen_in(enlarged, finder) if not _is_in_the_border(face)]
    if len(found) == 1:
        face = found[0]
        landmarks = face.landmarks
    else:
        alone = _seen_in(enlarged[BORDER:-BORDER, BORDER:-BORDER], finder)
        if len(alone) != 1:
            return _look(image, image, len(found))
        face = alone[0]
        landmarks = _five(np.array(face.landmarks) + BORDER)
    return _look(image, align(enlarged, landmarks), 1, face, in_the_small(landmarks))


def look_at_photo(photo: bytes, finder: FaceFinder) -> Look | None:
    """Look at the largest face of an encoded photo; None if there is no face.

    Raises:
        InputError: the photo can't be used; see ``emotion.image.decode``.
    """
    image = decode(photo, LIMITS)
    found = finder(image, PHOTO_SETTINGS)
    if not found:
        return None
    crop = align(to_grey(image), found[0].landmarks)
    transform = similarity(found[0].landmarks, REFERENCE_POINTS)
    points = np.array(found[0].landmarks) @ transform[:, :2].T + transform[:, 2]
    return _look(crop, crop, len(found), found[0], _five(points))


def enlarge(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a FER2013 face [48, 48] four times as large with a mirrored border, [320, 320]."""
    side = CROP_SIDE * ENLARGEMENT
    enlarged = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    padded = cv2.copyMakeBorder(enlarged, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REFLECT_101)
    return padded.astype(np.uint8, copy=False)


def in_the_small(landmarks: Landmarks) -> Landmarks:
    """Return places on an enlarged image as places on the 48x48 one."""
    return _five((np.array(landmarks) - BORDER) / ENLARGEMENT)


def _seen_in(grey: npt.NDArray[np.uint8], finder: FaceFinder) -> tuple[Detection, ...]:
    settings = replace(CROP_SETTINGS, side=len(grey))
    return finder(np.repeat(grey[:, :, np.newaxis], 3, axis=2), settings)


def _is_in_the_border(face: Detection) -> bool:
    """Tell a face's mirror image from a face: its middle lies outside of the image."""
    box = face.box
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    return any(not BORDER <= place <= ENLARGED_SIDE - BORDER for place in middle)


def _five(points: npt.NDArray[np.float64]) -> Landmarks:
    first, second, third, fourth, fifth = ((float(x), float(y)) for x, y in points)
    return first, second, third, fourth, fifth


def _look(
    image: npt.NDArray[np.uint8],
    aligned: npt.NDArray[np.uint8],
    faces: int,
    found: Detection | None = None,
    landmarks: Landmarks = _NOWHERE,
) -> Look:
    pose = pose_of(found.landmarks) if found else None
    return Look(
        image=image,
        aligned=aligned,
        faces=faces,
        score=found.score if found else math.nan,
        landmarks=landmarks,
        pose=(pose.yaw, pose.pitch, pose.roll) if pose else _NOT_MEASURED,
        brightness=float(image.mean()),
        contrast=float(image.std()),
        sharpness=float(cv2.Laplacian(image, cv2.CV_32F).var()),
    )

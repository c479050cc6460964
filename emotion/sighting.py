"""The first half of the photo pipeline: bytes -> decode -> detect -> align.

A large JPEG is decoded at a half, a quarter or an eighth, no larger than the network sees it.
Where a face then has fewer pixels than its crop, the photo is decoded again, as large as the
smallest face needs it: crops are as sharp as if all had been decoded.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from emotion.alignment import align, enlargement
from emotion.detection import (
    DetectionSettings,
    FaceNetwork,
    Tensors,
    detections_from,
    scale_to_side,
)
from emotion.faces import Detection, Landmarks, Sighting
from emotion.image import ImageLimits, RgbImage, decode_reduced
from emotion.preprocessing import classifier_input, to_grey


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is kept of a photo while the network looks at it.

    Attributes:
        photo: encoded, for a closer look.
        limits: of it.
        seen: uint8 [h, w, 3], RGB: the photo as the network is to see it.
        grey: uint8 [h, w]: the upright photo that faces are cut out of; it may be reduced.
        width: of the whole upright photo, in pixels.
        height: likewise.
    """

    photo: bytes
    limits: ImageLimits
    seen: RgbImage
    grey: npt.NDArray[np.uint8]
    width: int
    height: int


def sight(
    photo: bytes, network: FaceNetwork, settings: DetectionSettings, limits: ImageLimits
) -> Sighting:
    """Find and cut out the faces of one encoded photo.

    Raises:
        InputError: the photo can't be used; see ``emotion.image.decode``.
    """
    view = view_of(photo, settings, limits)
    return sighting_from(network(view.seen[np.newaxis]), view, settings)


def view_of(photo: bytes, settings: DetectionSettings, limits: ImageLimits) -> View:
    """Do what comes before the network.

    Raises:
        InputError: the photo can't be used; see ``emotion.image.decode``.
    """
    decoded = decode_reduced(photo, limits, settings.side)
    seen, grey = scale_to_side(decoded.pixels, settings.side), to_grey(decoded.pixels)
    return View(photo, limits, seen, grey, decoded.width, decoded.height)


def sighting_from(tensors: Tensors, view: View, settings: DetectionSettings) -> Sighting:
    """Do what comes after the network: ``tensors`` are what it said of ``view.seen`` alone."""
    whole = (view.height, view.width)
    detections = detections_from(tensors, view.seen.shape, whole, settings)
    grey = _fine_enough(view, detections)
    part = grey.shape[1] / view.width, grey.shape[0] / view.height
    crops = [align(grey, _scaled(detection.landmarks, *part)) for detection in detections]
    return Sighting(view.width, view.height, detections, classifier_input(crops))


def _fine_enough(view: View, detections: tuple[Detection, ...]) -> npt.NDArray[np.uint8]:
    """Return the photo so large that no crop has more pixels than its face, or all of it."""
    longest = max(view.width, view.height)
    most = max((enlargement(detection.landmarks) for detection in detections), default=0.0)
    wanted = min(longest, ceil(longest * most))
    if wanted <= max(view.grey.shape):
        return view.grey
    return to_grey(decode_reduced(view.photo, view.limits, wanted).pixels)


def _scaled(landmarks: Landmarks, x_part: float, y_part: float) -> Landmarks:
    one, two, three, four, five = ((x * x_part, y * y_part) for x, y in landmarks)
    return one, two, three, four, five

"""The first half of the photo pipeline, bytes -> decode -> detect -> align, and of a video's frame.

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
    detect,
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


def sight_frame(frame: RgbImage, network: FaceNetwork, settings: DetectionSettings) -> Sighting:
    """Find and cut out the faces of a picture that is decoded already.

    Args:
        frame: uint8 [height, width, 3], RGB, upright.
        network: the model.
        settings: how hard to look.
    """
    height, width = frame.shape[:2]
    detections = detect(frame, network, settings)
    return Sighting(width, height, detections, _cut_out(to_grey(frame), detections))


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
    return Sighting(view.width, view.height, detections, _cut_out(grey, detections, *part))


def _cut_out(
    grey: npt.NDArray[np.uint8],
    detections: tuple[Detection, ...],
    x_part: float = 1.0,
    y_part: float = 1.0,
) -> npt.NDArray[np.uint8]:
    """Return the crops of a picture; the detections' places are to be scaled to its pixels."""
    return classifier_input(
        [align(grey, _scaled(detection.landmarks, x_part, y_part)) for detection in detections]
    )


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

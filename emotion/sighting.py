"""The first half of the photo pipeline: bytes -> decode -> detect -> align."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion.alignment import align
from emotion.detection import (
    DetectionSettings,
    FaceNetwork,
    Tensors,
    detections_from,
    scale_to_side,
)
from emotion.faces import Sighting
from emotion.image import ImageLimits, RgbImage, decode
from emotion.preprocessing import classifier_input, to_grey


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is kept of a decoded photo while the network looks at it.

    Attributes:
        seen: uint8 [h, w, 3], RGB: the photo as the network is to see it.
        grey: uint8 [height, width]: the upright photo that faces are cut out of.
    """

    seen: RgbImage
    grey: npt.NDArray[np.uint8]


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
    image = decode(photo, limits)
    return View(scale_to_side(image, settings.side), to_grey(image))


def sighting_from(tensors: Tensors, view: View, settings: DetectionSettings) -> Sighting:
    """Do what comes after the network: ``tensors`` are what it said of ``view.seen`` alone."""
    detections = detections_from(tensors, view.seen.shape, view.grey.shape, settings)
    crops = classifier_input([align(view.grey, detection.landmarks) for detection in detections])
    height, width = view.grey.shape
    return Sighting(width, height, detections, crops)

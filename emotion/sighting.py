"""The first half of the photo pipeline: bytes -> decode -> detect -> align."""

from emotion.alignment import align
from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import Sighting
from emotion.image import ImageLimits, decode
from emotion.preprocessing import classifier_input, to_grey


def sight(
    photo: bytes, network: FaceNetwork, settings: DetectionSettings, limits: ImageLimits
) -> Sighting:
    """Find and cut out the faces of one encoded photo.

    Raises:
        InputError: the photo can't be used; see ``emotion.image.decode``.
    """
    image = decode(photo, limits)
    detections = detect(image, network, settings)
    grey = to_grey(image)
    crops = classifier_input([align(grey, detection.landmarks) for detection in detections])
    height, width = image.shape[:2]
    return Sighting(width, height, detections, crops)

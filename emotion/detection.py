"""RetinaFace's raw tensors to boxes and landmarks.

The network sees the photo with its longest side scaled to ``DetectionSettings.side``. It
judges a grid of priors, two sizes on each of three strides; a prior's four location numbers
and ten landmark numbers are offsets from it (Deng et al. 2019, "RetinaFace", after SSD).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from emotion.faces import Box, Detection, Landmarks
from emotion.image import RgbImage

Floats = npt.NDArray[np.float32]
# What the network says of n photos: locations [n, p, 4], scores [n, p], landmarks [n, p, 10].
Tensors = tuple[Floats, Floats, Floats]

# Priors and variances the weights were trained with (biubug6/Pytorch_Retinaface, cfg_mnet).
_STRIDES_AND_SIZES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
_CENTRE_VARIANCE = 0.1
_SIZE_VARIANCE = 0.2


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """How hard to look.

    Attributes:
        side: longest side of the photo as the network sees it, in pixels. Larger finds
            smaller faces, and costs with its square.
        min_score: least confidence of a face, 0 to 1.
        max_overlap: intersection over union above which two boxes are one face.
    """

    side: int = 640
    min_score: float = 0.6
    max_overlap: float = 0.4


class FaceNetwork(Protocol):
    """Runs the detector's model file."""

    def __call__(self, images: npt.NDArray[np.uint8]) -> Tensors:
        """Return locations [n, p, 4], scores [n, p], landmarks [n, p, 10] for RGB [n, h, w, 3]."""
        ...


def detect(
    image: RgbImage, network: FaceNetwork, settings: DetectionSettings
) -> tuple[Detection, ...]:
    """Find the faces in one photo.

    Args:
        image: uint8 [height, width, 3], RGB, upright.
        network: the model.
        settings: how hard to look.

    Returns:
        Largest face first, in pixels of ``image``.
    """
    seen = scale_to_side(image, settings.side)
    return detections_from(network(seen[np.newaxis]), seen.shape, image.shape, settings)


def detections_from(
    tensors: Tensors, seen: tuple[int, ...], photo: tuple[int, ...], settings: DetectionSettings
) -> tuple[Detection, ...]:
    """Read what the network said of one photo.

    Args:
        tensors: its answer, for one photo.
        seen: height and width of what it was shown.
        photo: height and width of the upright photo.
        settings: how hard to look.

    Returns:
        Largest face first, in pixels of the photo.
    """
    locations, scores, landmarks = tensors
    height, width = photo[:2]
    sure = np.flatnonzero(scores[0] >= settings.min_score)
    priors = priors_of(seen[0], seen[1])[sure]
    unit = np.array([width, height], dtype=np.float32)
    boxes = boxes_from(locations[0][sure], priors) * np.tile(unit, 2)
    points = points_from(landmarks[0][sure], priors) * unit
    kept = _suppress(boxes, scores[0][sure], settings)
    found = [_detection(boxes[i], float(scores[0][sure[i]]), points[i]) for i in kept]
    return tuple(sorted(found, key=lambda face: face.box.area, reverse=True))


def scale_to_side(image: RgbImage, side: int) -> RgbImage:
    """Scale so that the longest side has ``side`` pixels, up or down, aspect kept."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    scaled = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return scaled.astype(np.uint8, copy=False)


@lru_cache(maxsize=16)
def priors_of(height: int, width: int) -> Floats:
    """Return the priors of an input size, as shares of it: x and y of the centre, w, h.

    Returns:
        float32 [p, 4], stride by stride, row by row, small size before large. Read-only.
    """
    levels = []
    for stride, sizes in _STRIDES_AND_SIZES:
        y, x = np.mgrid[0 : -(-height // stride), 0 : -(-width // stride)]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
        extents = np.array(sizes, dtype=np.float64).reshape(1, -1, 1)
        shape = (len(centres), len(sizes), 2)
        both = [np.broadcast_to(centres, shape), np.broadcast_to(extents, shape)]
        levels.append(np.concatenate(both, axis=2).reshape(-1, 4))
    priors = (np.concatenate(levels) / [width, height, width, height]).astype(np.float32)
    priors.flags.writeable = False
    return priors


def boxes_from(locations: Floats, priors: Floats) -> Floats:
    """Apply location offsets [k, 4] to priors [k, 4]: x, y of the top left, w, h, as shares."""
    centres = priors[:, :2] + locations[:, :2] * _CENTRE_VARIANCE * priors[:, 2:]
    sizes = priors[:, 2:] * np.exp(locations[:, 2:] * _SIZE_VARIANCE)
    return np.concatenate([centres - sizes / 2, sizes], axis=1)


def points_from(landmarks: Floats, priors: Floats) -> Floats:
    """Apply landmark offsets [k, 10] to priors [k, 4]: five points [k, 5, 2], as shares."""
    offsets = landmarks.reshape(-1, 5, 2) * _CENTRE_VARIANCE
    points: Floats = priors[:, np.newaxis, :2] + offsets * priors[:, np.newaxis, 2:]
    return points


def _suppress(boxes: Floats, scores: Floats, settings: DetectionSettings) -> list[int]:
    """Keep the surest of overlapping boxes (non-maximum suppression)."""
    if not len(boxes):
        return []
    # The scores have been judged already, so NMSBoxes' own threshold lets all of them pass.
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.0, settings.max_overlap)
    return [int(index) for index in kept]


def _detection(box: Floats, score: float, points: Floats) -> Detection:
    x, y, width, height = (float(value) for value in box)
    landmarks: Landmarks = tuple((float(px), float(py)) for px, py in points)  # type: ignore[assignment]  # five of them, by points_from
    return Detection(Box(x, y, width, height), score, landmarks)

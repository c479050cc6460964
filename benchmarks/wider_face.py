"""WIDER FACE sample: reading it, and counting what a detector found and missed.

The images are stored squashed to 416x416; they are stretched back to their original aspect.
A found box counts for the ground-truth box it overlaps most, if their intersection over
union is at least 0.5; each ground-truth box is taken once, the surest detection first.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from emotion.faces import Detection
from emotion.image import RgbImage

LEVELS = ("easy", "medium", "hard")
_STORED_SIDE = 416
_MIN_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """An image with its true faces.

    Attributes:
        image: uint8 [height, width, 3], RGB, aspect restored.
        boxes: float [n, 4], x, y, width, height in pixels of ``image``.
        levels: level name to bool [n]: which boxes the level counts.
    """

    image: RgbImage
    boxes: npt.NDArray[np.float64]
    levels: dict[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Recall by level (fractions), all detections, and those that match no true face."""

    recall: dict[str, float]
    detections: int
    unmatched: int


def read_sample(folder: Path, side: int) -> Iterator[LabelledImage]:
    """Yield the sample's images, longest side ``side`` pixels."""
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
    for name, entry in truth.items():
        stored = cv2.imread(str(folder / "images" / name), cv2.IMREAD_COLOR_RGB)
        if stored is None:
            raise FileNotFoundError(folder / "images" / name)
        width, height = entry["original_size"]
        factor = side / max(width, height)
        size = (round(width * factor), round(height * factor))
        image = cv2.resize(stored, size, interpolation=cv2.INTER_LINEAR)
        stretch = np.tile(np.array(size) / _STORED_SIDE, 2)
        boxes = np.array(entry["boxes_xywh"], dtype=np.float64).reshape(-1, 4) * stretch
        levels = {level: np.array(entry[level], dtype=np.bool_) for level in LEVELS}
        yield LabelledImage(image.astype(np.uint8), boxes, levels)


def score_detector(
    detect: Callable[[RgbImage], Sequence[Detection]], sample: Iterator[LabelledImage]
) -> DetectionScore:
    """Run a detector over the sample and count."""
    found = dict.fromkeys(LEVELS, 0)
    total = dict.fromkeys(LEVELS, 0)
    detections = unmatched = 0
    for labelled in sample:
        faces = detect(labelled.image)
        taken = match(faces, labelled.boxes)
        detections += len(faces)
        unmatched += len(faces) - int(taken.sum())
        for level, counted in labelled.levels.items():
            found[level] += int((taken & counted).sum())
            total[level] += int(counted.sum())
    recall = {level: found[level] / total[level] for level in LEVELS}
    return DetectionScore(recall, detections, unmatched)


def match(faces: Sequence[Detection], boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Mark the true boxes [n] that some face matches."""
    taken = np.zeros(len(boxes), dtype=np.bool_)
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        overlap = np.where(taken, 0.0, _overlaps(face, boxes))
        if len(boxes) and overlap.max() >= _MIN_OVERLAP:
            taken[overlap.argmax()] = True
    return taken


def _overlaps(face: Detection, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the intersection over union of one face with each box [n, 4]."""
    box = face.box
    right = np.minimum(box.x + box.width, boxes[:, 0] + boxes[:, 2])
    bottom = np.minimum(box.y + box.height, boxes[:, 1] + boxes[:, 3])
    width = np.clip(right - np.maximum(box.x, boxes[:, 0]), 0, None)
    height = np.clip(bottom - np.maximum(box.y, boxes[:, 1]), 0, None)
    shared = width * height
    overlaps: npt.NDArray[np.float64] = shared / (box.area + boxes[:, 2] * boxes[:, 3] - shared)
    return overlaps

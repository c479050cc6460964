"""Measures how FER2013 frames its faces: where the landmarks lie in its 48x48 images.

The means become ``emotion.alignment.REFERENCE_POINTS``: the classifier learns from this
framing, so a served face is brought into it. The detector that serves does the measuring,
so that its habits (how high on the lid it sees an eye) are the same on both sides.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from emotion.detection import DetectionSettings, FaceNetwork, detect
from emotion.faces import LANDMARK_NAMES, Landmarks
from training.data.conditions import ENLARGED_SIDE, enlarge, in_the_small
from training.errors import DatasetError

# Only sure faces say where landmarks lie.
_SETTINGS = DetectionSettings(side=ENLARGED_SIDE, min_score=0.8)


@dataclass(frozen=True, slots=True, eq=False)
class Framing:
    """Where the landmarks lie, in pixels of the 48x48 image (see ``emotion.faces``).

    Attributes:
        images: how many were looked at.
        faces: how many of them show exactly one face; the rest don't count.
        mean: float64 [5, 2], x and y, in the order of ``LANDMARK_NAMES``.
        median: the same.
        deviation: the same; the standard deviation.
    """

    images: int
    faces: int
    mean: npt.NDArray[np.float64]
    median: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]


def measure_framing(
    images: npt.NDArray[np.uint8], network: FaceNetwork, sample: int | None = None, seed: int = 0
) -> Framing:
    """Find the landmarks on FER2013's faces, with a progress bar.

    Args:
        images: uint8 [n, 48, 48], grey.
        network: the detector.
        sample: how many images to look at, drawn without repetition; all of them for None.
        seed: of the draw.

    Raises:
        DatasetError: no image shows exactly one face.
    """
    draw = np.random.default_rng(seed).permutation(len(images))[:sample]
    found = [
        landmarks_in(images[row], network) for row in tqdm(draw, desc="measuring", unit="image")
    ]
    points = np.array([landmarks for landmarks in found if landmarks is not None])
    if not len(points):
        raise DatasetError(f"none of {len(draw)} images shows exactly one face")
    return Framing(
        images=len(draw),
        faces=len(points),
        mean=points.mean(axis=0),
        median=np.median(points, axis=0),
        deviation=points.std(axis=0),
    )


def landmarks_in(image: npt.NDArray[np.uint8], network: FaceNetwork) -> Landmarks | None:
    """Return the landmarks of the one face on an image [48, 48], or None if it isn't one."""
    rgb = np.repeat(enlarge(image)[:, :, np.newaxis], 3, axis=2)
    faces = detect(rgb, network, _SETTINGS)
    return in_the_small(faces[0].landmarks) if len(faces) == 1 else None


def as_table(framing: Framing) -> str:
    """Return the figures as a table, and the means as the Python tuple to paste."""
    share = framing.faces / framing.images
    lines = [
        f"{framing.faces:,} of {framing.images:,} images ({share:.1%}) show exactly one face",
        "",
        f"{'landmark':<12}{'mean x':>8}{'y':>7}{'median x':>10}{'y':>7}{'sd x':>7}{'y':>7}",
    ]
    for row, name in enumerate(LANDMARK_NAMES):
        (mx, my), (hx, hy), (sx, sy) = (
            figures[row] for figures in (framing.mean, framing.median, framing.deviation)
        )
        lines.append(f"{name:<12}{mx:>8.2f}{my:>7.2f}{hx:>10.2f}{hy:>7.2f}{sx:>7.2f}{sy:>7.2f}")
    points = [f"    ({x:.1f}, {y:.1f})," for x, y in framing.mean]
    return "\n".join([*lines, "", "REFERENCE_POINTS: Landmarks = (", *points, ")"])

"""From pixels to the classifier's input, for training and serving alike."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from emotion.image import RgbImage

CROP_SIDE = 48  # Side of the classifier's input in pixels: FER2013's own.


def to_grey(image: RgbImage) -> npt.NDArray[np.uint8]:
    """Return the luma [height, width] of an RGB image (ITU-R BT.601); equal channels stay."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def classifier_input(crops: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Stack aligned grey faces into a batch.

    Args:
        crops: uint8 [48, 48] each; may be empty.

    Returns:
        uint8 [n, 1, 48, 48]: what the classifier's model file takes.

    Raises:
        ValueError: a crop has another shape or type.
    """
    for crop in crops:
        if crop.shape != (CROP_SIDE, CROP_SIDE) or crop.dtype != np.uint8:
            raise ValueError(f"a crop is {crop.dtype} {crop.shape}, not uint8 (48, 48)")
    batch = np.empty((len(crops), 1, CROP_SIDE, CROP_SIDE), dtype=np.uint8)
    for row, crop in enumerate(crops):
        batch[row, 0] = crop
    return batch

"""Photos to measure with: one face, any size, with the grain of a camera."""

from io import BytesIO

import cv2
import numpy as np
import skimage.data
from PIL import Image

_GRAIN = 4.0  # Standard deviation in grey levels: a phone's at ISO 400, about.
_QUALITY = 90


def one_face(width: int, height: int) -> bytes:
    """Return a JPEG with one face: NASA's photo of Eileen Collins (public domain), seeded grain."""
    picture = skimage.data.astronaut()  # type: ignore[no-untyped-call]  # skimage is typed in part
    rows = round(picture.shape[1] * height / width)
    scaled = cv2.resize(picture[:rows], (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, _GRAIN, scaled.shape)
    grainy = np.clip(scaled + grain, 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(grainy).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()

"""Bytes to pixels: the only way into the project for a picture somebody sent.

The header is read first and judged against the limits; only then are pixels decoded, so a
small file that claims to be huge costs nothing.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from emotion.errors import ImageTooLarge, InputError, UndecodableImage, UnsupportedImage

ACCEPTED = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "HEIC")
# Pillow's own names; MPO is a JPEG with a second picture appended, as phones write it.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "HEIF")
_STILL_WITH_EXTRAS = ("MPO", "HEIF")
_WHITE = (255, 255, 255, 255)

RgbImage = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest photo that is decoded.

    Attributes:
        max_bytes: of the encoded file.
        max_pixels: width times height; decoding takes 3 to 7 bytes of memory for each.
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000


def register_heic() -> None:
    """Teach Pillow to open HEIC. Called by ``decode``; harmless when called again."""
    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener()


def decode(data: bytes, limits: ImageLimits) -> RgbImage:
    """Decode a photo, turned upright.

    Transparent parts are laid on white. Deep greys (16 or 32 bits) are brought to 8 bits.

    Args:
        data: an encoded JPEG, PNG, WebP, BMP, TIFF or HEIC. Its bytes decide, not a name.
        limits: what is refused before any pixel is decoded.

    Returns:
        uint8 [height, width, 3], RGB, contiguous.

    Raises:
        ImageTooLarge: more bytes or pixels than the limits allow.
        UnsupportedImage: not an image of an accepted kind, or an animation.
        UndecodableImage: truncated or corrupt.
    """
    with open_header(data, limits) as image:
        try:
            upright = ImageOps.exif_transpose(image)
            return np.ascontiguousarray(_to_rgb(upright))
        # Pillow's plugins raise any of these on corrupt content.
        except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as error:
            raise UndecodableImage(f"The photo is truncated or corrupt: {error}") from error


def open_header(data: bytes, limits: ImageLimits) -> Image.Image:
    """Read a photo's header and judge it; no pixel is decoded.

    Returns:
        Pillow's lazy image, inside the limits. The caller closes it.

    Raises:
        InputError: as ``decode``.
    """
    if not data:
        raise UndecodableImage("The photo is empty: 0 bytes arrived.")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"The photo has {len(data):,} bytes; at most {limits.max_bytes:,} are accepted."
        )
    register_heic()
    image = _identify(data, limits)
    try:
        _judge(image, limits)
    except InputError:
        image.close()
        raise
    return image


def _identify(data: bytes, limits: ImageLimits) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow's own, higher limit on pixels; ours is judged below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        raise UnsupportedImage(
            f"These bytes are no image of an accepted kind ({', '.join(ACCEPTED)})."
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(
            f"The photo claims far more than the {limits.max_pixels:,} pixels accepted."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as error:
        raise UndecodableImage(f"The photo's header is corrupt: {error}") from error


def _judge(image: Image.Image, limits: ImageLimits) -> None:
    pixels = image.width * image.height
    if pixels > limits.max_pixels:
        raise ImageTooLarge(
            f"The photo has {image.width} x {image.height} pixels; "
            f"at most {limits.max_pixels:,} in all are accepted."
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in _STILL_WITH_EXTRAS:
        raise UnsupportedImage(
            f"This {image.format} holds {frames} pictures; send one still photo at a time."
        )


def _to_rgb(image: Image.Image) -> RgbImage:
    if image.mode.startswith("I;16"):
        return _stack(np.asarray(image).astype(np.uint16) >> 8)
    if image.mode in ("I", "F"):
        return _stack(_stretch(np.asarray(image, dtype=np.float64)))
    if image.has_transparency_data:
        canvas = Image.new("RGBA", image.size, _WHITE)
        canvas.alpha_composite(image.convert("RGBA"))
        image = canvas
    return np.asarray(image.convert("RGB"), dtype=np.uint8)


def _stretch(grey: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Spread the values there are over 0 to 255: 32-bit greys have no agreed white."""
    grey = np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    return (grey - low) * (255 / (high - low)) if high > low else np.zeros_like(grey)


def _stack(grey: npt.NDArray[np.generic]) -> RgbImage:
    return np.repeat(grey.astype(np.uint8)[:, :, np.newaxis], 3, axis=2)

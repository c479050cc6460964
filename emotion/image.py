"""Bytes to pixels: the only way into the project for a picture somebody sent.

The header is read first and judged against the limits; only then are pixels decoded, so a
small file that claims to be huge costs nothing.
"""

import re
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from emotion.errors import ImageTooLarge, InputError, UndecodableImage, UnsupportedImage

ACCEPTED = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "HEIC")
# Pillow's own names.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF")
# Their first picture is the photo. MPO is a JPEG with a second one appended, as phones write it.
_STILL_WITH_EXTRAS = ("MPO", "HEIF")
# What Pillow's plugins, parsers written in Python, raise on corrupt content; pillow-heif's
# raises RuntimeError.
_CORRUPT = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError,
    RuntimeError, struct.error,
)  # fmt: skip
# EXIF orientation to what stands a picture upright: whether to swap rows and columns, then
# the steps in which to walk down them (Exif 2.32, tag 274).
_UPRIGHT: dict[object, tuple[bool, int, int]] = {
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}
# The width and height that an image inside a HEIC has before it is cropped (ISO/IEC 23008-12,
# ImageSpatialExtentsProperty), in a box with a size of 4 or of 8 bytes.
_HEIC_PART_SIZE = re.compile(rb"(?:\0\0\0\x01ispe.{8}|ispe)\0...(.{4})(.{4})", re.DOTALL)
_TIFF_TILE_TAGS = (322, 323)
# What a JPEG decoder can reduce by, the most first.
_PARTS = (8, 4, 2)
_PILLOW_MODULES = r"PIL\."

RgbImage = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest photo that is decoded.

    Attributes:
        max_bytes: of the encoded file.
        max_pixels: width times height; above 178 million Pillow refuses whatever is set here.
            Decoding takes 10 bytes of memory for each as a rule, and up to 22 (WebP).
    """

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPhoto:
    """A photo's pixels, fewer than it has if fewer were asked for.

    Attributes:
        pixels: uint8 [h, w, 3], RGB, upright, contiguous.
        width: of the whole upright photo, in pixels.
        height: likewise.
    """

    pixels: RgbImage
    width: int
    height: int


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
    # No photo inside the limits is longer, so none is reduced.
    return decode_reduced(data, limits, limits.max_pixels).pixels


def decode_reduced(data: bytes, limits: ImageLimits, side: int) -> DecodedPhoto:
    """Decode a photo as ``decode`` does, at a half, a quarter or an eighth where that will do.

    Only JPEG can be: its decoder leaves the fine frequencies out, in a fraction of the time.
    Other photos come whole.

    Args:
        data: an encoded photo.
        limits: what is refused, by the size of the whole photo.
        side: the longest side has at least so many pixels, unless the photo has fewer.

    Raises:
        InputError: as ``decode``.
    """
    with open_header(data, limits) as image:
        width, height = image.size
        fewer = next((part for part in _PARTS if max(width, height) // part >= side), 1)
        try:
            image.draft(None, (max(1, width // fewer), max(1, height // fewer)))
            image.load()
            pixels = _to_rgb(image)
        except _CORRUPT as error:
            raise UndecodableImage(f"The photo is truncated or corrupt: {error}") from error
        swap, down, right = _UPRIGHT.get(_orientation(image), (False, 1, 1))
    upright = pixels.swapaxes(0, 1) if swap else pixels
    whole = (height, width) if swap else (width, height)
    return DecodedPhoto(np.ascontiguousarray(upright[::down, ::right]), *whole)


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
    _prepare_pillow()
    image = _identify(data, limits)
    try:
        _judge(image, data, limits)
    except InputError:
        image.close()
        raise
    return image


def _prepare_pillow() -> None:
    """Have Pillow know all accepted formats, and keep its remarks on odd ones to itself.

    Both hold for the whole process; nothing happens when called again. The filter stays,
    because taking filters back (``warnings.catch_warnings``) isn't safe among threads.
    """
    if "HEIF" not in Image.OPEN:
        Image.init()
        pillow_heif.register_heif_opener(decode_threads=1)
    modules: object = re.compile(_PILLOW_MODULES)
    if all(rule[3] != modules for rule in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW_MODULES)


def _identify(data: bytes, limits: ImageLimits) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:
        if _has_known_beginning(data):
            raise UndecodableImage("The photo's header is truncated or corrupt.") from error
        raise UnsupportedImage(
            f"These bytes are no image of an accepted kind ({', '.join(ACCEPTED)})."
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(
            f"The photo claims far more than the {limits.max_pixels:,} pixels accepted."
        ) from error
    except _CORRUPT as error:
        raise UndecodableImage(f"The photo's header is corrupt: {error}") from error


def _has_known_beginning(data: bytes) -> bool:
    """Tell a broken photo from something else by its first bytes, as Pillow's plugins do."""
    checks = (Image.OPEN[name][1] for name in _FORMATS)
    return any(check(data[:16]) for check in checks if check)


def _judge(image: Image.Image, data: bytes, limits: ImageLimits) -> None:
    pixels = max([image.width * image.height, *_sizes_of_parts(image, data)])
    if pixels > limits.max_pixels:
        raise ImageTooLarge(
            f"The photo has {pixels:,} pixels; at most {limits.max_pixels:,} are accepted."
        )
    # Not n_frames: counting a TIFF's pages reads them all, and there may be millions.
    if getattr(image, "is_animated", False) and image.format not in _STILL_WITH_EXTRAS:
        raise UnsupportedImage(
            f"This {image.format} holds several pictures; send one still photo at a time."
        )


def _sizes_of_parts(image: Image.Image, data: bytes) -> list[int]:
    """Return the pixels of what is decoded whole, even where the photo is a small cut from it."""
    if image.format == "HEIF":
        parts = _HEIC_PART_SIZE.findall(data)
        return [int.from_bytes(width) * int.from_bytes(height) for width, height in parts]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        try:
            width, height = (int(image.tag_v2.get(tag, 0)) for tag in _TIFF_TILE_TAGS)
        except _CORRUPT as error:
            raise UndecodableImage(f"The photo's header is corrupt: {error}") from error
        return [width * height]
    return []


def _orientation(image: Image.Image) -> object:
    """Read EXIF's orientation; call it once the pixels are loaded: metadata may follow them."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except _CORRUPT:
        return None  # Viewers, too, show a photo whose metadata is broken: as it is stored.


def _to_rgb(image: Image.Image) -> RgbImage:
    if image.mode.startswith("I;16"):
        return _stack((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        return _stack(_stretch(np.asarray(image)))
    if image.has_transparency_data:
        seen_through = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(seen_through, mask=seen_through)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)


def _stretch(grey: npt.NDArray[np.int32 | np.float32]) -> RgbImage:
    """Spread the values there are over 0 to 255: 32-bit greys have no agreed white."""
    finite = np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)
    spread = np.empty(grey.shape, dtype=np.uint8)
    cv2.normalize(finite, spread, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    return spread


def _stack(grey: npt.NDArray[np.uint8]) -> RgbImage:
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)

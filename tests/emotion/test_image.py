import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from emotion.errors import ImageTooLarge, UnsupportedImage
from emotion.image import ImageLimits, decode, decode_reduced
from tests.pictures import encode, encode_image, exif_of, gradient

LIMITS = ImageLimits()
# What the Exif standard says of orientation 1 to 8: on which side of the upright picture the
# first stored row lies, and on which the first stored column.
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def stored_as(upright: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Lay a picture the way a camera held in that orientation stores it."""
    first_row, first_column = SIDES[orientation]
    stored = upright if first_row in ("top", "bottom") else upright.swapaxes(0, 1)
    stored = stored[::-1] if first_row in ("bottom", "right") else stored
    stored = stored[:, ::-1] if first_column in ("bottom", "right") else stored
    return np.ascontiguousarray(stored)


def difference(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(np.int16) - other).max())


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_photo_comes_out_as_it_went_in(kind: str) -> None:
    picture = gradient(31, 17)
    assert np.array_equal(decode(encode(picture, kind), LIMITS), picture)


def test_lossless_webp_comes_out_as_it_went_in() -> None:
    picture = gradient(31, 17)
    assert np.array_equal(decode(encode(picture, "WEBP", lossless=True), LIMITS), picture)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("WEBP", {"quality": 100}),
        ("HEIF", {"quality": 100, "chroma": 444}),
    ],
)
def test_lossy_photo_comes_out_nearly_as_it_went_in(kind: str, options: dict[str, object]) -> None:
    picture = gradient(64, 48)
    assert difference(decode(encode(picture, kind, **options), LIMITS), picture) <= 10


def test_pixels_are_contiguous_rgb_bytes() -> None:
    pixels = decode(encode(gradient(31, 17), "JPEG", exif=exif_of(6)), LIMITS)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (31, 17, 3)
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_photo_is_turned_upright(kind: str, orientation: int) -> None:
    upright = gradient(7, 5)
    stored = encode(stored_as(upright, orientation), kind, exif=exif_of(orientation))
    assert np.array_equal(decode(stored, LIMITS), upright)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("WEBP", {"lossless": True}),
        ("HEIF", {"quality": 100, "chroma": 444}),
    ],
)
def test_photo_of_a_phone_is_turned_upright(
    kind: str, options: dict[str, object], orientation: int
) -> None:
    upright = gradient(64, 48)
    stored = stored_as(upright, orientation)
    photo = encode(stored, kind, exif=exif_of(orientation), **options)
    assert difference(decode(photo, LIMITS), upright) <= 10


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientation_leaves_the_photo_as_it_is(orientation: int) -> None:
    picture = gradient(7, 5)
    photo = encode(picture, "PNG", exif=exif_of(orientation))
    assert np.array_equal(decode(photo, LIMITS), picture)


def test_deep_grey_photo_is_turned_upright() -> None:
    deep = np.arange(6, dtype=np.uint16).reshape(2, 3) << 8
    photo = encode(deep, "PNG", exif=exif_of(3))
    assert decode(photo, LIMITS)[:, :, 0].tolist() == [[5, 4, 3], [2, 1, 0]]


def test_grey_becomes_three_equal_channels() -> None:
    grey = gradient(9, 4)[:, :, 0]
    assert np.array_equal(decode(encode(grey, "PNG"), LIMITS), np.stack([grey] * 3, axis=-1))


def test_one_bit_becomes_black_and_white() -> None:
    image = Image.fromarray(np.array([[0, 255, 0]], dtype=np.uint8)).convert("1")
    pixels = decode(encode_image(image, "PNG"), LIMITS)
    assert pixels.tolist() == [[[0, 0, 0], [255, 255, 255], [0, 0, 0]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(kind: str) -> None:
    deep = np.array([[0, 255, 256, 32768, 65535]], dtype=np.uint16)
    assert decode(encode(deep, kind), LIMITS)[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_floats_are_spread_over_black_to_white() -> None:
    floats = np.array([[-1.5, 0.0, 1.5]], dtype=np.float32)
    assert decode(encode(floats, "TIFF"), LIMITS)[0, :, 0].tolist() == [0, 128, 255]


def test_whole_numbers_of_32_bits_are_spread_over_black_to_white() -> None:
    numbers = np.array([[-(2**31), 0, 2**31 - 1]], dtype=np.int32)
    assert decode(encode(numbers, "TIFF"), LIMITS)[0, :, 0].tolist() == [0, 128, 255]


def test_floats_that_are_no_numbers_count_as_zero() -> None:
    floats = np.array([[np.nan, np.inf, -np.inf, 1.0]], dtype=np.float32)
    assert decode(encode(floats, "TIFF"), LIMITS)[0, :, 0].tolist() == [0, 0, 0, 255]


def test_floats_all_equal_become_black() -> None:
    floats = np.full((2, 2), 0.7, dtype=np.float32)
    assert not decode(encode(floats, "TIFF"), LIMITS).any()


def test_rgba_is_laid_on_white() -> None:
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]], dtype=np.uint8)
    assert decode(encode(pixels, "PNG"), LIMITS).tolist() == [
        [[10, 20, 30], [255, 255, 255], [204, 204, 204]]
    ]


def test_grey_with_alpha_is_laid_on_white() -> None:
    pixels = np.array([[[10, 255], [10, 0]]], dtype=np.uint8)
    assert decode(encode(pixels, "PNG"), LIMITS).tolist() == [[[10] * 3, [255] * 3]]


def test_palette_becomes_its_colours() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    assert decode(encode_image(image, "PNG"), LIMITS).tolist() == [[[10, 20, 30], [40, 50, 60]]]


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
def test_transparent_colour_of_a_palette_is_laid_on_white(transparency: int | bytes) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putdata([0, 1])
    photo = encode_image(image, "PNG", transparency=transparency)
    assert decode(photo, LIMITS).tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_cmyk_jpeg_keeps_its_colours() -> None:
    picture = gradient(64, 48)
    cmyk = Image.fromarray(picture).convert("CMYK")
    assert difference(decode(encode_image(cmyk, "JPEG", quality=100), LIMITS), picture) <= 2


def test_first_of_two_pictures_in_a_jpeg_is_the_photo() -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("white", "black"))
    photo = encode_image(first, "MPO", save_all=True, append_images=[second])
    assert decode(photo, LIMITS).min() == 255


def test_first_picture_of_a_heic_is_the_photo() -> None:
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("white", "black"))
    photo = encode_image(first, "HEIF", save_all=True, append_images=[second])
    assert decode(photo, LIMITS).min() > 250


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_several_pictures_are_refused(kind: str) -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("white", "black"))
    file = encode_image(first, kind, save_all=True, append_images=[second])
    with pytest.raises(UnsupportedImage):
        decode(file, LIMITS)


@pytest.mark.parametrize(
    ("side", "size"), [(201, (400, 200)), (101, (200, 100)), (100, (100, 50)), (7, (50, 25))]
)
def test_jpeg_is_decoded_no_larger_than_it_has_to_be(side: int, size: tuple[int, int]) -> None:
    photo = encode(gradient(400, 200), "JPEG", quality=95, subsampling=0)
    decoded = decode_reduced(photo, LIMITS, side)
    assert decoded.pixels.shape == (size[1], size[0], 3)
    assert (decoded.width, decoded.height) == (400, 200)
    assert difference(decoded.pixels, gradient(*size)) <= 12


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_other_photos_are_decoded_whole(kind: str) -> None:
    decoded = decode_reduced(encode(gradient(400, 200), kind), LIMITS, 50)
    assert decoded.pixels.shape == (200, 400, 3)


def test_photo_that_is_small_already_is_decoded_whole() -> None:
    decoded = decode_reduced(encode(gradient(40, 20), "JPEG"), LIMITS, 640)
    assert decoded.pixels.shape == (20, 40, 3)


def test_reduced_photo_is_upright_and_so_is_its_size() -> None:
    stored = stored_as(gradient(400, 200), 6)
    photo = encode(stored, "JPEG", quality=95, subsampling=0, exif=exif_of(6))
    decoded = decode_reduced(photo, LIMITS, 100)
    assert (decoded.width, decoded.height) == (400, 200)
    assert difference(decoded.pixels, gradient(100, 50)) <= 12


def test_limit_is_that_of_the_whole_photo() -> None:
    with pytest.raises(ImageTooLarge, match="80,000 pixels; at most 79,999"):
        decode_reduced(encode(gradient(400, 200), "JPEG"), ImageLimits(max_pixels=79_999), 50)

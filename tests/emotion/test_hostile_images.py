"""Files made to break a decoder. Python's warnings are errors here, so none may escape."""

import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emotion.errors import ImageTooLarge, InputError, UndecodableImage, UnsupportedImage
from emotion.image import ImageLimits, decode
from tests.conftest import PROJECT
from tests.pictures import (
    encode,
    encode_image,
    exif_of,
    flat_webp,
    gradient,
    header_without_data,
    png_bomb,
    png_chunk,
    png_header,
)

LIMITS = ImageLimits()
# Reads a file from stdin, and prints the outcome and by how many MiB that made memory grow.
DECODE = """
import resource, sys
from emotion.errors import InputError
from emotion.image import ImageLimits, decode

def outcome(data):
    try:
        decode(data, ImageLimits())
    except InputError as error:
        return type(error).__name__
    return "decoded"

data = sys.stdin.buffer.read()
outcome(b"no image: Pillow loads all its plugins")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
name = outcome(data)
print(name, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
# Orientation 6, then a maker's name said to be 60,000 letters long.
ODD_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x02\0" + struct.pack(
    "<HHIHHHHIII", 274, 3, 1, 6, 0, 271, 2, 60_000, 200, 0
)
SEEDS = {
    "JPEG": encode(gradient(24, 17), "JPEG", exif=exif_of(6)),
    "PNG": encode(gradient(24, 17), "PNG", exif=exif_of(6)),
    "WEBP": encode(gradient(24, 17), "WEBP", exif=exif_of(6)),
    "BMP": encode(gradient(24, 17), "BMP"),
    "TIFF": encode(gradient(24, 17), "TIFF", compression="tiff_lzw"),
    "HEIF": encode(gradient(24, 17), "HEIF"),
    "MPO": encode_image(
        Image.fromarray(gradient(24, 17)),
        "MPO",
        save_all=True,
        append_images=[Image.fromarray(gradient(24, 17))],
    ),
}


def decode_elsewhere(data: bytes) -> tuple[str, int]:
    """Decode in a process of its own; return the outcome and by how many MiB memory grew."""
    run = subprocess.run(  # noqa: S603  # this very interpreter
        [sys.executable, "-c", DECODE], input=data, capture_output=True, check=True, cwd=PROJECT
    )
    assert run.stderr == b""
    name, growth = run.stdout.decode().split()
    return name, int(growth)


def test_empty_photo_is_undecodable() -> None:
    with pytest.raises(UndecodableImage, match="empty"):
        decode(b"", LIMITS)


@pytest.mark.parametrize(
    "data", [b"x", b"Dear all,\n" * 500, b"%PDF-1.7", b"GIF89a", bytes(1000), b"\xff" * 1000]
)
def test_other_bytes_are_no_image(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match="JPEG, PNG, WebP, BMP, TIFF, HEIC"):
        decode(data, LIMITS)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF"])
def test_truncated_photo_is_undecodable(kind: str, share: float) -> None:
    photo = encode(gradient(200, 150), kind)
    with pytest.raises(UndecodableImage):
        decode(photo[: int(len(photo) * share)], LIMITS)


def test_more_bytes_than_allowed_are_too_large() -> None:
    with pytest.raises(ImageTooLarge, match="11 bytes; at most 10 are accepted"):
        decode(b"elevenbytes", ImageLimits(max_bytes=10))


def test_as_many_pixels_as_allowed_are_accepted() -> None:
    assert decode(encode(gradient(6, 5), "PNG"), ImageLimits(max_pixels=30)).shape == (5, 6, 3)


def test_one_pixel_more_than_allowed_is_too_large() -> None:
    with pytest.raises(ImageTooLarge, match="31 pixels; at most 30 are accepted"):
        decode(encode(gradient(31, 1), "PNG"), ImageLimits(max_pixels=30))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG"])
def test_header_of_400_megapixels_without_data_is_too_large(kind: str) -> None:
    with pytest.raises(ImageTooLarge):
        decode(header_without_data(kind, 20_000), LIMITS)


@pytest.mark.parametrize("side", [7_100, 10_000])  # Pillow itself warns from 9,459 on
@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG"])
def test_header_just_too_large_is_refused_without_data(kind: str, side: int) -> None:
    with pytest.raises(ImageTooLarge, match=f"{side * side:,} pixels"):
        decode(header_without_data(kind, side), LIMITS)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "JPEG"])
def test_small_header_without_data_is_undecodable(kind: str) -> None:
    with pytest.raises(UndecodableImage):
        decode(header_without_data(kind, 200), LIMITS)


def test_bomb_of_900_megapixels_costs_no_memory() -> None:
    bomb = png_bomb(30_000)
    assert len(bomb) < 112_000
    outcome, growth = decode_elsewhere(bomb)
    assert outcome == "ImageTooLarge"
    assert growth < 10


@pytest.mark.parametrize("side", [7_100, 13_000, 16_383])
def test_webp_of_38_bytes_and_many_megapixels_costs_no_memory(side: int) -> None:
    outcome, growth = decode_elsewhere(flat_webp(side))
    assert outcome == "ImageTooLarge"
    assert growth < 10


def test_small_cut_from_a_huge_heic_is_too_large() -> None:
    photo = encode(gradient(63, 47), "HEIF")
    assert b"clap" in photo
    coded = photo.index(b"ispe") + 8
    huge = photo[:coded] + struct.pack(">II", 10_000, 10_000) + photo[coded + 8 :]
    with pytest.raises(ImageTooLarge, match="100,000,000 pixels"):
        decode(huge, LIMITS)


def test_small_cut_from_a_huge_tile_of_a_tiff_is_too_large() -> None:
    tags = {256: 64, 257: 48, 258: 8, 259: 8, 262: 1, 277: 1, 322: 16_000, 323: 16_000}
    content = zlib.compress(bytes(16_000 * 16_000), 9)
    tags |= {324: 200, 325: len(content)}
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + fields
    outcome, growth = decode_elsewhere(header.ljust(200, b"\0") + content)
    assert outcome == "ImageTooLarge"
    assert growth < 10


def test_tile_of_a_tiff_whose_size_is_no_number_is_undecodable() -> None:
    text, whole = 2, 4
    tags = [(256, whole, 64), (257, whole, 48), (258, whole, 8), (259, whole, 8)]
    tags += [(262, whole, 1), (277, whole, 1), (322, text, ord("x")), (323, whole, 48)]
    tags += [(324, whole, 200), (325, whole, 10)]
    fields = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + fields
    with pytest.raises(UndecodableImage, match="header is corrupt"):
        decode(header.ljust(210, b"\0"), LIMITS)


def test_text_that_unpacks_to_100_megabytes_is_undecodable() -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(100 * 2**20), 9)
    photo = png_header(1, 1) + png_chunk(b"zTXt", text) + png_chunk(b"IEND", b"")
    outcome, growth = decode_elsewhere(photo)
    assert outcome == "UndecodableImage"
    assert growth < 20


def test_tiff_of_a_million_pages_is_refused_at_once() -> None:
    pages = b"".join(struct.pack("<HI", 0, 8 + 6 * (page + 1)) for page in range(1_000_000))
    first = encode(gradient(2, 2), "TIFF")
    directory = struct.unpack_from("<I", first, 4)[0]
    end = directory + 2 + 12 * struct.unpack_from("<H", first, directory)[0]
    file = first[:end] + struct.pack("<I", len(first)) + first[end + 4 :] + pages
    with pytest.raises(UnsupportedImage, match="several pictures"):
        decode(file, LIMITS)


def test_photo_with_broken_metadata_is_read_as_far_as_it_goes() -> None:
    photo = encode(gradient(8, 6), "JPEG", exif=ODD_EXIF)
    assert decode(photo, LIMITS).shape == (8, 6, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0", b"Exif\0\0junk", b"Exif\0\0neither II nor MM", b"Exif\0\0II*\0\xff\xff\xff\xff"],
)
def test_photo_with_unreadable_metadata_is_left_as_it_is(kind: str, exif: bytes) -> None:
    assert decode(encode(gradient(8, 6), kind, exif=exif), LIMITS).shape == (6, 8, 3)


def test_remarks_of_pillow_stay_quiet_in_many_threads() -> None:
    photo = encode(gradient(8, 6), "JPEG", exif=ODD_EXIF)
    with ThreadPoolExecutor(8) as threads:
        shapes = set(threads.map(lambda _: decode(photo, LIMITS).shape, range(400)))
    assert shapes == {(8, 6, 3)}


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_damaged_photo_is_decoded_or_refused(kind: str, data: st.DataObject) -> None:
    photo = bytearray(SEEDS[kind])
    places = st.integers(0, len(photo) - 1)
    damage = data.draw(st.dictionaries(places, st.integers(0, 255), min_size=1, max_size=8))
    for place, value in damage.items():
        photo[place] = value
    end = data.draw(st.one_of(st.just(len(photo)), places))
    try:
        pixels = decode(bytes(photo[:end]), ImageLimits(max_pixels=1_000_000))
    except InputError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2:] == (3,)

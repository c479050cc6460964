"""Pictures drawn here, and files of them."""

import struct
import zlib
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pillow_heif
import skimage.data
from PIL import Image

ORIENTATION_TAG = 274


def gradient(width: int, height: int) -> npt.NDArray[np.uint8]:
    """Draw uint8 [height, width, 3], smooth, and different in every corner and channel."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / max(width - 1, 1), 255 * y / max(height - 1, 1)
    return np.stack([red, green, (510 - red - green) / 2], axis=-1).round().astype(np.uint8)


def astronaut() -> npt.NDArray[np.uint8]:
    """A photo of Eileen Collins by NASA (public domain): uint8 [512, 512, 3], one face."""
    image: npt.NDArray[np.uint8] = skimage.data.astronaut()  # type: ignore[no-untyped-call]  # skimage is typed in part
    return image


def crowd() -> npt.NDArray[np.uint8]:
    """18 rows of 17 faces: uint8 [1728, 1632, 3]."""
    face = Image.fromarray(astronaut()[50:185, 160:295])
    small = np.asarray(face.resize((96, 96), Image.Resampling.BOX))
    return np.tile(small, (18, 17, 1))


def encode(pixels: npt.NDArray[np.generic], kind: str, **options: object) -> bytes:
    """Write an array as a file of one of Pillow's formats."""
    return encode_image(Image.fromarray(pixels), kind, **options)


def encode_image(image: Image.Image, kind: str, **options: object) -> bytes:
    """Write Pillow's image as a file."""
    pillow_heif.register_heif_opener()
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif_of(orientation: int) -> bytes:
    """Metadata with nothing but an orientation."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return exif.tobytes()


def png_chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG file."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png_header(width: int, height: int, depth: int = 8) -> bytes:
    """The beginning of a grey PNG file: signature and header chunk."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)


def png_bomb(side: int) -> bytes:
    """A valid black PNG of side x side pixels of one bit each."""
    row = bytes(1 + -(-side // 8))
    packer = zlib.compressobj(9)
    content = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png_header(side, side, depth=1) + png_chunk(b"IDAT", content) + png_chunk(b"IEND", b"")


def flat_webp(side: int) -> bytes:
    """A valid WebP of 38 bytes: side x side pixels of one colour, up to 16,383."""
    head = bytes.fromhex("524946461e000000574542505650384c110000002f")
    size = struct.pack("<I", side - 1 | side - 1 << 14)
    return head + size + bytes.fromhex("07d0842634a1ff8188e87f0000")


def header_without_data(kind: str, side: int) -> bytes:
    """The header of a file of side x side pixels, and nothing after it."""
    if kind == "PNG":
        return png_header(side, side) + struct.pack(">I", side) + b"IDAT"
    if kind == "BMP":
        return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54, 0, 54, 40, side, side, 1, 24, *6 * [0])
    if kind == "TIFF":
        entries = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
        entries += [(273, 4, 200), (277, 3, 1), (278, 4, side), (279, 4, side * side)]
        fields = b"".join(struct.pack("<HHII", tag, size, 1, v) for tag, size, v in entries)
        return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + fields + bytes(4)
    if kind == "WEBP":
        canvas = struct.pack("<I", side - 1)[:3]
        chunk = struct.pack("<4sII", b"VP8X", 10, 0) + canvas + canvas
        return struct.pack("<4sI4s", b"RIFF", 4 + len(chunk), b"WEBP") + chunk
    if kind == "JPEG":
        frame = struct.pack(">HHBHHBBBB", 0xFFC0, 11, 8, side, side, 1, 1, 0x11, 0)
        return b"\xff\xd8" + frame + struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, 0, 63, 0)
    raise ValueError(kind)

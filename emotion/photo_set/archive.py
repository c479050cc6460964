"""A zip of photos, whoever made it.

An entry's name is shown and never used as a path, and nothing is unpacked to disk. How much it
unpacks to is judged by the directory before anything is unpacked, and each entry ends where that
says, so a zip costs no more than its limits, whatever it holds.
"""

import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from emotion.errors import (
    ImageTooLarge,
    PhotoSetTooLarge,
    UndecodableImage,
    UndecodablePhotoSet,
    UnsupportedImage,
    UnsupportedPhotoSet,
)

# First bytes that are enough to tell: of an entry, or of the directory of a zip without any.
HEAD_BYTES = 4
_HEADS = (b"PK\x03\x04", b"PK\x05\x06")
# What the zipfile module raises on corrupt content.
_CORRUPT = (
    BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip
# Bytes of the directory for each photo that is accepted: an entry has 46 and its name.
_DIRECTORY_BYTES = 512
_ENCRYPTED = 0x1
# What systems put beside the files that were packed.
_LITTER = ("__macosx", "thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class PhotoSetLimits:
    """The largest set of photos that is analysed.

    Attributes:
        max_bytes: of the file, and of what it unpacks to.
        max_photos: in it.
        max_photo_bytes: of each.
    """

    max_bytes: int = 4 * 2**30
    max_photos: int = 10_000
    max_photo_bytes: int = 20 * 2**20


def is_zip(head: bytes) -> bool:
    """Tell a zip by its first ``HEAD_BYTES`` bytes."""
    return head in _HEADS


def check_head(head: bytes) -> None:
    """Refuse what is no zip, by its first ``HEAD_BYTES`` bytes.

    Raises:
        UndecodablePhotoSet: there are no bytes.
        UnsupportedPhotoSet: it is none.
    """
    if not head:
        raise UndecodablePhotoSet("The zip is empty: 0 bytes arrived.")
    if not is_zip(head):
        raise UnsupportedPhotoSet("These bytes are no zip. Pack the photos into one.")


def is_photo_name(name: str) -> bool:
    """Return whether an entry or object is meant to be looked at: not hidden, nor litter."""
    parts = name.lower().split("/")
    return bool(parts[-1]) and not any(
        part.startswith(".") or part in _LITTER for part in parts if part not in (".", "..")
    )


def shown(name: str) -> str:
    """Return a name without what would not be seen, or would change how it is shown."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in name)


def check_set(sizes: Sequence[int], limits: PhotoSetLimits) -> None:
    """Judge photos by how many they are and how many bytes each has.

    Raises:
        UnsupportedPhotoSet: there is none.
        PhotoSetTooLarge: they are too many, or too large together.
    """
    if not sizes:
        raise UnsupportedPhotoSet("There is no photo in it.")
    if len(sizes) > limits.max_photos:
        raise PhotoSetTooLarge(
            f"It has {len(sizes):,} photos; at most {limits.max_photos:,} are accepted."
        )
    if sum(sizes) > limits.max_bytes:
        raise PhotoSetTooLarge(
            f"Its photos have {sum(sizes):,} bytes together; at most {limits.max_bytes:,} are "
            "accepted."
        )


def check_photo(size: int, limits: PhotoSetLimits) -> None:
    """Judge one photo by its bytes.

    Raises:
        ImageTooLarge: they are too many.
    """
    if size > limits.max_photo_bytes:
        raise ImageTooLarge(
            f"The photo has {size:,} bytes; at most {limits.max_photo_bytes:,} are accepted."
        )


class Archive:
    """The photos of a zip that is open.

    Attributes:
        names: of its photos, as they are shown; in order of name.
    """

    def __init__(self, file: ZipFile, photos: Sequence[ZipInfo], limits: PhotoSetLimits) -> None:
        """Give the photos of a zip, in this order."""
        self._file = file
        self._photos = photos
        self._limits = limits
        self.names = tuple(shown(one.filename) for one in photos)

    def read(self, number: int) -> bytes:
        """Return a photo's bytes.

        Raises:
            UnsupportedImage: it is a link, encrypted, or packed in an uncommon way.
            ImageTooLarge: too many bytes.
            UndecodableImage: it is corrupt.
        """
        photo = self._photos[number]
        self._check(photo)
        try:
            with self._file.open(photo) as content:
                # One more, so that the end is reached, and with it the checksum.
                return content.read(photo.file_size + 1)
        except _CORRUPT as error:
            raise UndecodableImage(f"It is corrupt in the zip: {shown(str(error))}") from error

    def _check(self, photo: ZipInfo) -> None:
        if stat.S_ISLNK(photo.external_attr >> 16):
            raise UnsupportedImage("It is a link, and no photo. Pack the photo itself.")
        if photo.flag_bits & _ENCRYPTED:
            raise UnsupportedImage("It is encrypted in the zip. Pack it without a password.")
        # The others unpack without a bound on the memory they take.
        if photo.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UnsupportedImage("It is packed in an uncommon way. Deflate is read.")
        check_photo(photo.file_size, self._limits)


class _BoundedFile(BufferedReader):
    """A file of which nobody may have more at once than a bound, as a directory of millions."""

    most: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most is not None and size is not None and size > self.most:
            raise PhotoSetTooLarge("It has far more entries than are accepted.")
        return super().read(size)


@contextmanager
def open_archive(path: Path, limits: PhotoSetLimits) -> Iterator[Archive]:
    """Open a zip and judge it by its directory; nothing is unpacked.

    Raises:
        UndecodablePhotoSet: it is corrupt, or made to unpack one entry many times.
        UnsupportedPhotoSet: there is no photo in it.
        PhotoSetTooLarge: more than the limits allow.
    """
    with _BoundedFile(FileIO(path)) as content:
        content.most = limits.max_photos * _DIRECTORY_BYTES + 2**16
        try:
            file = ZipFile(content)
        except _CORRUPT as error:
            raise UndecodablePhotoSet(
                f"The zip is truncated or corrupt: {shown(str(error))}"
            ) from error
        content.most = None
        with file:
            entries = [one for one in file.infolist() if is_photo_name(one.filename)]
            check_set([one.file_size for one in entries], limits)
            if sum(one.compress_size for one in entries) > path.stat().st_size:
                raise UndecodablePhotoSet("The zip is corrupt: its entries overlap.")
            yield Archive(file, sorted(entries, key=lambda one: one.filename), limits)

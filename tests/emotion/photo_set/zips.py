"""Zips made here, good ones and bad ones."""

import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_END_BYTES = 22


def write_zip(path: Path, files: Mapping[str, bytes], packing: int = ZIP_DEFLATED) -> Path:
    """Pack files in this order."""
    with ZipFile(path, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def add_link(path: Path, name: str, target: str) -> None:
    """Add a symbolic link, as zip -y does."""
    link = ZipInfo(name)
    link.create_system = 3
    link.external_attr = 0o120777 << 16
    with ZipFile(path, "a") as archive:
        archive.writestr(link, target)


def encrypted(content: bytes) -> bytes:
    """Say of a zip's only entry that it is encrypted."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.index(signature) + offset] |= 1
    return bytes(changed)


def overlapping(content: bytes, times: int) -> bytes:
    """Have a zip's only entry stand many times in its directory (Fifield's bomb, in short)."""
    (start,) = struct.unpack("<I", content[-6:-2])
    entry = content[start:-_END_BYTES]
    directory = b"".join(entry.replace(b"000.png", b"%03d.png" % number) for number in range(times))
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, times, times, len(directory), start, 0)
    return content[:start] + directory + end


def claiming(content: bytes, size: int) -> bytes:
    """Have a zip's only entry claim to unpack to some bytes."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = changed.index(signature) + offset
        changed[at : at + 4] = struct.pack("<I", size)
    return bytes(changed)


def twice(path: Path, name: str, first: bytes, second: bytes) -> Path:
    """Pack two files of one name."""
    with warnings.catch_warnings(action="ignore"), ZipFile(path, "w") as archive:
        archive.writestr(name, first)
        archive.writestr(name, second)
    return path

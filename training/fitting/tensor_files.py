"""Writes and reads what torch saves, in plain words where the disk or the file is at fault.

torch itself says neither "disk full" nor "cut off": it tells of positions in its container.
"""

from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from training.errors import CheckpointError
from training.whole_files import write_whole_bytes

# What zipfile and torch were seen to raise over bytes changed here and there. An OSError is none
# of the disk: the file has been read by then.
_BROKEN = (
    BadZipFile,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    UnpicklingError,
    ValueError,
)


def write_tensors(path: Path, content: object) -> None:
    """Write tensors and plain values: all of it, or nothing.

    Raises:
        OSError: what the disk refuses, with the file's name.
    """
    buffer = BytesIO()
    torch.save(content, buffer)
    write_whole_bytes(path, buffer.getbuffer())


def read_tensors(path: Path, device: torch.device) -> Any:  # noqa: ANN401  # whatever was saved
    """Return what ``write_tensors`` wrote, its tensors on a device.

    Raises:
        CheckpointError: the file is damaged: cut off, changed, or something else.
    """
    content = BytesIO(path.read_bytes())
    try:
        with ZipFile(content) as archive:
            is_whole = archive.testzip() is None
        content.seek(0)
        if is_whole:
            return torch.load(content, map_location=device, weights_only=True)
    except _BROKEN as error:
        raise CheckpointError(_advice(path)) from error
    raise CheckpointError(_advice(path))


def _advice(path: Path) -> str:
    return f"{path}: damaged. Bring it back from a copy, or delete {path.parent} and train anew"

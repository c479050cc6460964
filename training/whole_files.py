"""Writes files so that a reader, or a process that goes on, never meets half of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text under another name, then give it its own: all of it, or nothing."""
    write_whole_bytes(path, text.encode())


def write_whole_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write bytes under another name, then give them their own: all of them, or nothing."""
    draft = path.with_name(f"{path.name}.tmp")
    try:
        with naming(path):
            draft.write_bytes(content)
        draft.replace(path)
    finally:
        # Half a file on a full disk would take room that going on needs.
        draft.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say which file it was where the disk refuses: writing alone does not.

    Raises:
        OSError: the same, with the file's name.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error

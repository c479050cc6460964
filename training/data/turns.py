"""Keeps processes that work in the same folder from working there at once."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

LOCK = ".lock"


@contextmanager
def own_turn(folder: Path) -> Iterator[None]:
    """Wait until nobody else works in a folder, and keep others waiting meanwhile.

    The kernel ends a turn with its process, however that ends. The folder is made if absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tqdm.write(f"waiting for another process that works in {folder}", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

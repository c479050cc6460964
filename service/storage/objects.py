"""What a store of objects does, wherever they lie."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")

PART = 8 * 2**20  # Bytes held of an object at once, twice while it arrives.


class Tries(Protocol):
    """Does some work on storage, again where it fails."""

    def __call__(self, work: Callable[[], T]) -> T:
        """Return what the work came to, or raise what it raised the last time."""
        ...


def once(work: Callable[[], T]) -> T:
    """Do some work on storage, and not again: ``Tries``."""
    return work()


class ObjectStore(Protocol):
    """A store of objects. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    async def receive(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write an object while it arrives, a part at a time.

        Whatever ``chunks`` raises ends it, and nothing stands under the key then.
        """
        ...

    def write(self, key: str, content: bytes) -> None:
        """Write an object, in place of one that is there."""
        ...

    def write_new(self, key: str, content: bytes) -> bool:
        """Write an object unless one is there; return whether it was written.

        Of several who do so at once, one is told that it was.
        """
        ...

    def read(self, key: str) -> bytes:
        """Return an object's content.

        Raises:
            FileNotFoundError: there is none under this key.
        """
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return a part of an object's content: ``length`` bytes from the ``start``-th on.

        Raises:
            FileNotFoundError: there is none under this key.
        """
        ...

    def as_local_file(self, key: str, tries: Tries = once) -> AbstractContextManager[Path]:
        """Give an object as a file of this machine, to be read while the block runs.

        Args:
            key: its key.
            tries: of each part, where it has to be fetched; what they raise ends it.

        Raises:
            FileNotFoundError: there is none under this key.
        """
        ...

    def erase(self, prefix: str) -> None:
        """Delete the object of a key, and all that lies under it as a prefix."""
        ...

    @property
    def free_bytes(self) -> float:
        """How much more fits; infinite where there is no bound."""
        ...

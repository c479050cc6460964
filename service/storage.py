"""Objects: whole files under a key, in a folder of this machine.

A key is a path with slashes. What is written stands whole under its key, or not at all.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from obstore.store import LocalStore

from service.storage_errors import storage_errors

_PART = 8 * 2**20  # Bytes held of an upload at once, twice.


class ObjectStore:
    """A folder of objects. Every method may raise ``StorageFull`` and ``StorageUnavailable``."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made if it is not there."""
        self._folder = folder
        with storage_errors():
            self._store = LocalStore(folder, mkdir=True)

    async def receive(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write an object while it arrives, a part at a time.

        Whatever ``chunks`` raises ends it, and nothing stands under the key then.
        """
        with storage_errors():
            await self._store.put_async(
                key, chunks, use_multipart=True, chunk_size=_PART, max_concurrency=1
            )

    def write(self, key: str, content: bytes) -> None:
        """Write an object, in place of one that is there."""
        with storage_errors():
            self._store.put(key, content)

    def read(self, key: str) -> bytes:
        """Return an object's content.

        Raises:
            FileNotFoundError: there is none under this key.
        """
        with storage_errors():
            return bytes(self._store.get(key).bytes())

    @contextmanager
    def as_local_file(self, key: str) -> Iterator[Path]:
        """Give an object as a file of this machine, to be read while the block runs.

        Raises:
            FileNotFoundError: there is none under this key.
        """
        path = self._folder / key
        if not path.is_file():
            raise FileNotFoundError(f"There is no object {key}.")
        yield path

    def erase(self, prefix: str) -> None:
        """Delete all that lies under a prefix, parts of unfinished uploads too."""
        path = self._folder / prefix
        # Another may be erasing the same.
        with storage_errors(), suppress(FileNotFoundError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    @property
    def free_bytes(self) -> int:
        """How much more fits."""
        with storage_errors():
            return shutil.disk_usage(self._folder).free

"""Objects in a folder of this machine."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from obstore.store import LocalStore

from service.storage.objects import PART, Tries, once
from service.storage.whole_objects import WholeObjects
from service.storage_errors import storage_errors


class FolderStore(WholeObjects):
    """``service.storage.objects.ObjectStore`` in a folder."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is made if it is not there."""
        self._folder = folder
        with storage_errors():
            super().__init__(LocalStore(folder, mkdir=True))

    async def receive(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write an object while it arrives; see the protocol."""
        with storage_errors():
            await self._store.put_async(
                key, chunks, use_multipart=True, chunk_size=PART, max_concurrency=1
            )

    @contextmanager
    def as_local_file(self, key: str, tries: Tries = once) -> Iterator[Path]:  # noqa: ARG002  # nothing is fetched
        """Give an object as a file, which it is; see the protocol."""
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
    def free_bytes(self) -> float:
        """How much more fits."""
        with storage_errors():
            return shutil.disk_usage(self._folder).free

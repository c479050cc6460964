"""Objects in a bucket of S3, Google's or Azure's store.

Credentials and endpoints come from the environment alone, as each store's own client reads them
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_NAME).
"""

import asyncio
import math
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from obstore.exceptions import BaseError
from obstore.store import from_url

from emotion.errors import InvalidRequest
from service.object_stores import CLOCK, CREDENTIALS, REFUSED, WRONG_CLOCK
from service.storage.address import BucketAddress
from service.storage.objects import PART, Tries, once
from service.storage.whole_objects import WholeObjects
from service.storage_errors import NO_BUCKET, StorageUnavailable, storage_errors

_ABORT_SECONDS = 15.0
_MODE = 0o700


class BucketStore(WholeObjects):
    """``service.storage.objects.ObjectStore`` in a bucket."""

    def __init__(self, address: BucketAddress, folder: Path) -> None:
        """Prepare; nothing is asked yet.

        Args:
            address: of the bucket.
            folder: of this machine, for files while they are read; made when it is needed.

        Raises:
            InvalidRequest: a variable of the store's client has a value that can't be used.
        """
        self._address = address
        self._folder = folder
        try:
            store = from_url(
                str(address),
                # An endpoint without TLS is the choice of who set it.
                client_options={
                    "allow_http": True,
                    "connect_timeout": "5s",
                    "read_timeout": "20s",
                    "timeout": "5m",
                },
                # Little of it: whoever has more patience tries again.
                retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
            )
        except (BaseError, ValueError) as error:
            raise InvalidRequest(f"{address} can't be used: {_first_line(error)}.") from error
        super().__init__(store)

    @contextmanager
    def saying_why(self) -> Iterator[None]:
        """Say what stands in the way where the store fails in this block: for the start.

        Raises:
            InvalidRequest: there is no such bucket, access is refused, or the store doesn't answer.
        """
        try:
            yield
        except StorageUnavailable as error:
            raise InvalidRequest(self._explain(error.__cause__ or error)) from error

    async def receive(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Write an object while it arrives; see the protocol."""
        source = _Source(chunks)
        with storage_errors():
            upload = asyncio.ensure_future(
                self._store.put_async(
                    key, source, use_multipart=True, chunk_size=PART, max_concurrency=1
                )
            )
            try:
                await asyncio.shield(upload)
            except asyncio.CancelledError:
                # obstore aborts an upload whose source fails; of one that is cancelled, the parts
                # would stay, and be paid for.
                source.fail()
                await asyncio.wait([upload], timeout=_ABORT_SECONDS)
                if upload.done() and not upload.cancelled():
                    upload.exception()
                raise
            finally:
                await source.end()

    @contextmanager
    def as_local_file(self, key: str, tries: Tries = once) -> Iterator[Path]:
        """Fetch an object part by part into a file without a name; see the protocol.

        The file is gone with the process, however that ends. For Linux.
        """
        with storage_errors():
            self._folder.mkdir(_MODE, parents=True, exist_ok=True)
            file = TemporaryFile(buffering=0, dir=self._folder)  # noqa: SIM115  # closed below
        with file:
            size, done = tries(partial(self._size, key)), 0
            while done < size:
                part = min(PART, size - done)
                done += tries(partial(self._fetch, key, file.fileno(), done, part))
            yield Path(f"/proc/self/fd/{file.fileno()}")

    def erase(self, prefix: str) -> None:
        """Delete all that lies under a prefix; see the protocol."""
        with storage_errors():
            found = [each["path"] for page in self._store.list(prefix) for each in page]
            for key in (prefix, *found):
                # Another may be erasing the same.
                with suppress(FileNotFoundError):
                    self._store.delete(key)

    @property
    def free_bytes(self) -> float:
        """Infinite: a bucket has no bound."""
        return math.inf

    def _size(self, key: str) -> int:
        with storage_errors():
            return self._store.head(key)["size"]

    def _fetch(self, key: str, file: int, start: int, length: int) -> int:
        """Copy a part to its place in a file; return how much of it was written."""
        part = self.read_range(key, start, length)
        with storage_errors():
            return os.pwrite(file, part, start)

    def _explain(self, error: BaseException) -> str:
        message = str(error)
        if NO_BUCKET.search(message):
            return (
                f"There is no bucket {self._address.bucket} for {self._address}. Make it, or set "
                "RAPT_STORAGE_URL to another."
            )
        if CLOCK in message:
            return f"{self._address} can't be used: {WRONG_CLOCK}"
        if REFUSED.search(message):
            credentials = CREDENTIALS[self._address.scheme]
            return f"Access to {self._address} is refused. Check {credentials} in the environment."
        if "error sending request" in message:
            return (
                f"The store of {self._address} doesn't answer. Check the network, and the endpoint "
                "(AWS_ENDPOINT_URL) where it is set."
            )
        return f"{self._address} can't be used: {_first_line(error)}."


class _Source:
    """Passes chunks on, until it is told to fail."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._next: asyncio.Future[bytes] | None = None
        self._failed = False

    def fail(self) -> None:
        """Have whoever reads this get an error, instead of the chunk that is waited for."""
        self._failed = True
        if self._next is not None:
            self._next.cancel()

    async def end(self) -> None:
        """Wait for no chunk any more: whoever sends them is free to read what comes."""
        self.fail()
        if self._next is not None:
            await asyncio.wait([self._next])

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._failed:
            raise ConnectionAbortedError
        self._next = asyncio.ensure_future(anext(self._chunks))
        try:
            return await self._next
        except asyncio.CancelledError as error:
            raise ConnectionAbortedError from error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")

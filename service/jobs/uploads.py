"""An upload on its way in: counted, hashed and looked at while it passes, and never held whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from emotion.errors import DeadlineExceeded
from service.jobs.accepted import Accepted
from service.jobs.job import Kind, Priority, digest_of

_ROOM_EVERY = 64 * 2**20  # Bytes between two looks at the room that is left.


@dataclass(frozen=True, slots=True)
class Upload:
    """What a caller sends.

    Attributes:
        kind: what it is.
        chunks: its bytes, as they arrive.
        announced: how many there will be; None where the caller doesn't say.
        name: as the caller calls it.
        settings: how it is to be analysed.
        key: the caller's Idempotency-Key; None is none.
        priority: which goes first.
        webhook: the URL that is to be told of the job's end; None is none.
    """

    kind: Kind
    chunks: AsyncIterator[bytes]
    announced: int | None
    name: str | None
    settings: dict[str, Any]
    key: str | None
    priority: Priority = Priority.NORMAL
    webhook: str | None = None

    @property
    def key_digest(self) -> str | None:
        """What is kept of the key."""
        return None if self.key is None else digest_of(self.key)


class Arrival:
    """Passes an upload on and knows afterwards what it was.

    Attributes:
        size: bytes so far.
    """

    def __init__(
        self,
        upload: Upload,
        accepted: Accepted,
        idle_seconds: float,
        check_room: Callable[[], None] = lambda: None,
    ) -> None:
        """Watch an upload.

        Args:
            upload: whose chunks are passed on.
            accepted: what it may be.
            idle_seconds: how long nothing may come.
            check_room: called now and then; raises where there is none.
        """
        self._upload = upload
        self._accepted = accepted
        self._idle_seconds = idle_seconds
        self._check_room = check_room
        self._hash = hashlib.sha256()
        self._next_look = _ROOM_EVERY
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        return self._hash.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pass the bytes on, once enough have come to tell what they are.

        Raises:
            InputError: they begin like nothing that is accepted, or there are none, or too many;
                noticed at the first one.
            DeadlineExceeded: nothing came for too long.
        """
        enough = self._accepted.head_bytes
        self._accepted.check_size(self._upload.announced or 0)
        head, known = b"", False
        while (chunk := await self._next()) is not None:
            self._count(chunk)
            if known:
                yield chunk
                continue
            head += chunk
            if len(head) >= enough:
                self._accepted.check(head[:enough])
                known = True
                yield head
        if not known:
            self._accepted.check(head)
            yield head

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await anext(self._upload.chunks, None)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"Nothing of the upload came for {self._idle_seconds:g} s. Send it again."
            ) from error

    def _count(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._accepted.check_size(self.size)
        self._hash.update(chunk)
        if self.size >= self._next_look:
            self._next_look = self.size + _ROOM_EVERY
            self._check_room()

"""A video on its way in: counted, hashed and looked at while it passes, and never held whole."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from emotion.errors import VideoTooLarge

_ROOM_EVERY = 64 * 2**20  # Bytes between two looks at the room that is left.


@dataclass(frozen=True, slots=True)
class Upload:
    """What a caller sends.

    Attributes:
        chunks: the video's bytes, as they arrive.
        announced: how many there will be; None where the caller doesn't say.
        name: as the caller calls it.
        settings: how it is to be analysed.
        key: the caller's Idempotency-Key; None is none.
        webhook: the URL that is to be told of the job's end; None is none.
    """

    chunks: AsyncIterator[bytes]
    announced: int | None
    name: str | None
    settings: dict[str, Any]
    key: str | None
    webhook: str | None = None

    @property
    def key_digest(self) -> str | None:
        """What is kept of the key."""
        return None if self.key is None else hashlib.sha256(self.key.encode()).hexdigest()


class Arrival:
    """Passes an upload on and knows afterwards what it was.

    Attributes:
        size: bytes so far.
    """

    def __init__(
        self, upload: Upload, max_bytes: int, check_room: Callable[[], None] = lambda: None
    ) -> None:
        """Watch an upload.

        Args:
            upload: whose chunks are passed on.
            max_bytes: the most that are accepted.
            check_room: called now and then; raises where there is none.
        """
        self._upload = upload
        self._max_bytes = max_bytes
        self._check_room = check_room
        self._hash = hashlib.sha256()
        self._next_look = _ROOM_EVERY
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        return self._hash.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pass the bytes on, once enough have come to tell that they are a video.

        Raises:
            UndecodableVideo: there are none.
            UnsupportedVideo: they begin like no video that is accepted.
            VideoTooLarge: they are too many; noticed at the first one.
        """
        # Imported late: it loads FFmpeg, which a front that is sent photos alone does without.
        from emotion.video.container import HEAD_BYTES, container_of  # noqa: PLC0415

        if (self._upload.announced or 0) > self._max_bytes:
            raise _too_large(self._max_bytes)
        head, known = b"", False
        async for chunk in self._upload.chunks:
            self._count(chunk)
            if known:
                yield chunk
                continue
            head += chunk
            if len(head) >= HEAD_BYTES:
                container_of(head[:HEAD_BYTES])
                known = True
                yield head
        if not known:
            container_of(head)
            yield head

    def _count(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise _too_large(self._max_bytes)
        self._hash.update(chunk)
        if self.size >= self._next_look:
            self._next_look = self.size + _ROOM_EVERY
            self._check_room()


def _too_large(max_bytes: int) -> VideoTooLarge:
    return VideoTooLarge(f"The video is larger than the {max_bytes:,} bytes accepted.")

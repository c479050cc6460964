"""The desk: what the front does with videos. It takes them in, tells of them, ends and erases them.

All but ``accept`` wait for the disk: they are to be called from a thread.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from emotion.errors import DeadlineExceeded, InvalidRequest, Overloaded
from emotion.reports.formats import ReportFormat
from service.jobs.errors import JobConflict, UnknownJob
from service.jobs.job import ACTIVE, Job, Kind, Owner, State
from service.jobs.opened import OpenedFolder
from service.jobs.promises import count_due
from service.jobs.uploads import Arrival, Upload
from service.metrics import JobsPresent
from service.settings import Settings
from service.storage_errors import StorageFull, StorageUnavailable

_DROP_TRIES, _DROP_WAIT = 5, 0.2  # Seconds.
_FULL_RETRY = 30.0  # Seconds; a video takes minutes.

log = structlog.get_logger()


class Desk:
    """One a process of the front. Every method may raise ``StorageUnavailable``."""

    def __init__(
        self,
        folder: OpenedFolder,
        settings: Settings,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """Stand before an opened folder.

        Args:
            folder: where videos are kept.
            settings: their limits.
            new_id: gives each video its id.
        """
        self._folder = folder
        self._settings = settings
        self._new_id = new_id
        self._uploads = 0

    async def accept(self, owner: Owner, upload: Upload) -> Job:
        """Take a video in while it arrives, and queue it.

        Returns:
            Its row; where the key was used before, and with the same video, the row of then.

        Raises:
            InputError: it is no video, or too large, or the key belongs to another.
            JobConflict: a video with the key is arriving now.
            Overloaded: too many are arriving or waiting.
            DeadlineExceeded: it took too long to arrive.
            StorageFull: there is no room for it.
        """
        with self._place_for_upload():
            digest = upload.key_digest
            if digest is not None:
                earlier = await asyncio.to_thread(self._folder.ledger.with_key, owner, digest)
                if earlier is not None:
                    return await self._same(earlier, upload)
            return await self._take_in(owner, upload)

    def get(self, owner: Owner, video_id: str) -> Job:
        """Return a video; see ``Ledger.get``."""
        return self._folder.ledger.get(owner, Kind.VIDEO, video_id)

    def page(self, owner: Owner, limit: int, after: tuple[float, str] | None) -> list[Job]:
        """Return videos, the newest first; see ``Ledger.page``."""
        return self._folder.ledger.page(owner, Kind.VIDEO, limit, after)

    def report(self, owner: Owner, video_id: str, form: ReportFormat) -> bytes:
        """Return a video's report.

        Raises:
            UnknownJob: see ``get``; or the report was deleted from its place.
            JobConflict: there is none, or not yet.
        """
        video = self.get(owner, video_id)
        if video.state is not State.DONE or video.report_fence is None:
            why = f": {video.error}" if video.error else "."
            raise JobConflict(f"There is no report: the video is {video.state}{why}")
        try:
            return self._folder.store.read(video.report(video.report_fence, form))
        except FileNotFoundError as error:
            raise UnknownJob(f"The report of video {video.id} is gone.") from error

    def cancel(self, owner: Owner, video_id: str) -> Job:
        """End a video that is waiting or in work; see ``Ledger.cancel``."""
        return self._folder.ledger.cancel(owner, Kind.VIDEO, video_id)

    def delete(self, owner: Owner, video_id: str) -> None:
        """Erase a video, whatever its state; a worker removes the last of it, its number.

        Raises:
            UnknownJob: see ``get``.
        """
        video = self.get(owner, video_id)
        self._folder.ledger.mark_deleting(video)
        self._folder.store.erase(video.prefix)

    def is_worked_on(self) -> bool:
        """Return whether any worker is alive."""
        return bool(self._folder.executors.alive())

    def present(self) -> JobsPresent:
        """Say how it stands with videos as a whole."""
        now = time.time()
        return JobsPresent(
            workers=len(self._folder.executors.alive()),
            by_state={state.value: n for state, n in self._folder.ledger.counts().items()},
            oldest_queued=max(0.0, now - (self._folder.ledger.oldest_queued() or now)),
            undelivered=count_due(self._folder.database),
        )

    @contextmanager
    def _place_for_upload(self) -> Iterator[None]:
        if self._uploads >= self._settings.max_uploads:
            raise Overloaded(
                f"{self._uploads} videos are arriving already. Try again shortly.", _FULL_RETRY
            )
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Wait no longer for a video to arrive than settings allow."""
        try:
            async with asyncio.timeout(self._settings.upload_seconds):
                yield
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"The video had not arrived after {self._settings.upload_seconds:,.0f} s. "
                "Send a smaller one, or over a faster line."
            ) from error

    async def _same(self, earlier: Job, upload: Upload) -> Job:
        """Read an upload whose key was used before, and compare."""
        arrival = Arrival(upload, self._settings.max_video_bytes)
        async with self._in_time():
            async for _ in arrival.chunks():
                pass
        if (arrival.sha256, upload.settings) != (earlier.sha256, dict(earlier.settings)):
            raise InvalidRequest(
                "This Idempotency-Key was used for another video, or with other settings. "
                "Use a key of its own for each."
            )
        return earlier

    async def _take_in(self, owner: Owner, upload: Upload) -> Job:
        video = await asyncio.to_thread(self._reserve, owner, upload)
        arrival = Arrival(upload, self._settings.max_video_bytes, lambda: self._check_room(0))
        try:
            async with self._in_time():
                await self._folder.store.receive(video.source, arrival.chunks())
            await asyncio.to_thread(
                self._folder.ledger.received, video, arrival.size, arrival.sha256
            )
        # Whatever ended it, be it a caller who hung up: nothing of it is left.
        except BaseException:
            await self._drop(video)
            raise
        return await asyncio.to_thread(self.get, owner, video.id)

    def _reserve(self, owner: Owner, upload: Upload) -> Job:
        counts = self._folder.ledger.counts()
        if sum(counts[state] for state in (State.RECEIVING, *ACTIVE)) >= self._settings.max_jobs:
            raise Overloaded(
                f"{self._settings.max_jobs} videos are waiting already. Try again later.",
                _FULL_RETRY,
            )
        self._check_room(upload.announced or 0)
        return self._folder.ledger.reserve(
            owner,
            Kind.VIDEO,
            id=self._new_id(),
            name=upload.name,
            settings=upload.settings,
            idempotency_key=upload.key_digest,
            webhook=upload.webhook,
        )

    async def _drop(self, video: Job) -> None:
        """Delete what came of a video; where storage fails, a worker's steward does it later."""
        for left in reversed(range(_DROP_TRIES)):
            try:
                await asyncio.to_thread(self._folder.store.erase, video.prefix)
                await asyncio.to_thread(self._folder.ledger.forget, video)
            except (StorageFull, StorageUnavailable) as error:
                log.warning("upload_not_dropped", video=video.id, why=error.message)
                # The store lets go of a part a moment after it has failed, and only then is room.
                await asyncio.sleep(_DROP_WAIT if left else 0)
            else:
                return

    def _check_room(self, expected: int) -> None:
        if self._folder.store.free_bytes - expected < self._settings.min_free_bytes:
            raise StorageFull("The storage is full. Try again when there is room.")

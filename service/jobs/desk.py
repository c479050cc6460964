"""The desk: what the front does with jobs. It takes them in, tells of them, ends and erases them.

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
from service.jobs.accepted import accepted_of
from service.jobs.backlog import Backlog
from service.jobs.brokers import Brokers
from service.jobs.errors import JobConflict, UnknownJob
from service.jobs.job import ACTIVE, Job, Kind, Owner, State, shown_name
from service.jobs.opened import OpenedFolder
from service.jobs.promises import count_due
from service.jobs.requests import JobRequest, asked_in, location_of, settings_of
from service.jobs.schedule_desk import ScheduleDesk
from service.jobs.signs import ABANDONED_SECONDS, said_to_arrive
from service.jobs.uploads import Arrival, Upload
from service.present import JobsPresent
from service.settings import Settings
from service.storage_errors import StorageFailed, StorageFull

_DROP_TRIES, _DROP_WAIT = 5, 0.2  # Seconds.
_DROP_SECONDS = 5.0  # A caller waits for his answer meanwhile.
_FULL_RETRY = 30.0  # Seconds; a video takes minutes.

log = structlog.get_logger()


class Desk:
    """One a process of the front. Every method may raise ``StorageUnavailable``.

    Attributes:
        schedules: does the same with schedules of jobs.
    """

    def __init__(
        self,
        folder: OpenedFolder,
        settings: Settings,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """Stand before an opened folder.

        Args:
            folder: where jobs are kept.
            settings: their limits.
            new_id: gives each job its id.
        """
        self._folder = folder
        self._settings = settings
        self._new_id = new_id
        self._uploads = 0
        self.schedules = ScheduleDesk(folder.database, settings)

    async def accept(self, owner: Owner, upload: Upload) -> Job:
        """Take an upload in while it arrives, and queue it.

        Returns:
            Its row; where the key was used before, and with the same upload, the row of then.

        Raises:
            InputError: it is not what is accepted, or too large, or the key belongs to another.
            JobConflict: another with the key is arriving now.
            Overloaded: too many are arriving or waiting.
            DeadlineExceeded: it took too long to arrive.
            StorageFull: there is no room for it.
        """
        with self._place_for_upload():
            earlier = await asyncio.to_thread(self._with_key, owner, upload.key_digest)
            if earlier is not None:
                return await self._same(earlier, upload)
            return await self._take_in(owner, upload)

    def request(self, owner: Owner, request: JobRequest) -> Job:
        """Queue a job about what lies elsewhere; it is not looked at before the work begins.

        Returns:
            Its row; where the key was used before, and for the same, the row of then.

        Raises:
            InvalidRequest: it is nowhere that may be read, a setting is none or out of its range,
                or the key belongs to another.
            JobConflict: an upload with the key is arriving now.
            Overloaded: too many are waiting.
        """
        location = location_of(request.kind, request.uri, self._settings)
        settings = settings_of(request.kind, request.settings, self._settings)
        what = request.kind, str(location), asked_in(request.kind, settings)
        while (earlier := self._with_key(owner, request.key_digest)) is None:
            self._check_count()
            try:
                return self._folder.ledger.reserve(
                    owner,
                    request.kind,
                    id=self._new_id(),
                    name=shown_name(request.name or location.name),
                    settings=settings,
                    idempotency_key=request.key_digest,
                    priority=request.priority,
                    uri=str(location),
                    state=State.QUEUED,
                    webhook=request.webhook,
                )
            except JobConflict:
                # Another with this key came first: it is looked at now.
                continue
        if what != (earlier.kind, earlier.uri, asked_in(earlier.kind, earlier.settings)):
            raise _other_key()
        return earlier

    def get(self, owner: Owner, kind: Kind, job_id: str) -> Job:
        """Return a job; see ``Ledger.get``."""
        return self._folder.ledger.get(owner, kind, job_id)

    def page(
        self, owner: Owner, kind: Kind, limit: int, after: tuple[float, str] | None
    ) -> list[Job]:
        """Return jobs of a kind, the newest first; see ``Ledger.page``."""
        return self._folder.ledger.page(owner, kind, limit, after)

    def report(self, owner: Owner, kind: Kind, job_id: str, form: ReportFormat) -> bytes:
        """Return a job's report.

        Raises:
            UnknownJob: see ``get``; or the report was deleted from its place.
            JobConflict: there is none, or not yet.
        """
        job = self.get(owner, kind, job_id)
        if job.state is not State.DONE or job.report_fence is None:
            why = f": {job.error}" if job.error else "."
            raise JobConflict(f"There is no report: the {kind.noun} is {job.state}{why}")
        try:
            return self._folder.store.read(job.report(job.report_fence, form))
        except FileNotFoundError as error:
            raise UnknownJob(f"The report of {kind.noun} {job.id} is gone.") from error

    def cancel(self, owner: Owner, kind: Kind, job_id: str) -> Job:
        """End a job that is waiting or in work; see ``Ledger.cancel``."""
        return self._folder.ledger.cancel(owner, kind, job_id)

    def delete(self, owner: Owner, kind: Kind, job_id: str) -> None:
        """Erase a job, whatever its state; a worker removes the last of it, its number.

        Raises:
            UnknownJob: see ``get``.
        """
        job = self.get(owner, kind, job_id)
        self._folder.ledger.mark_deleting(job)
        self._folder.store.erase(job.prefix)

    def is_worked_on(self) -> bool:
        """Return whether any worker is alive; where storage fails, nobody is thought dead."""
        try:
            return bool(self._folder.executors.alive())
        except StorageFailed as error:
            # It says what a job waits for, and is not worth the answer that there is a job.
            log.warning("workers_not_seen", why=error.why)
            return True

    def present(self) -> JobsPresent:
        """Say how it stands with jobs as a whole."""
        videos = Backlog(self._folder.database).video_seconds()
        return JobsPresent(
            workers=len(self._folder.executors.alive()),
            by_state={state.value: n for state, n in self._folder.ledger.counts().items()},
            oldest_queued=self._folder.ledger.oldest_queued(),
            waits={rank.value: wait for rank, wait in self._folder.queue.waits().items()},
            undelivered=count_due(self._folder.database),
            kafka_up=self._is_kafka_up(),
            oldest_running=self._folder.ledger.oldest_running(),
            video_seconds={state.value: seconds for state, seconds in videos.items()},
        )

    def _is_kafka_up(self) -> bool | None:
        is_up = Brokers(self._folder.database).is_up()
        # Somebody is to be connected, and can't even start.
        return False if is_up is None and self._settings.kafka_servers else is_up

    @contextmanager
    def _place_for_upload(self) -> Iterator[None]:
        if self._uploads >= self._settings.max_uploads:
            raise Overloaded(
                f"{self._uploads} uploads are arriving already. Try again shortly.", _FULL_RETRY
            )
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Wait no longer for an upload to arrive than settings allow."""
        try:
            async with asyncio.timeout(self._settings.upload_seconds):
                yield
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"The upload had not arrived after {self._settings.upload_seconds:,.0f} s. "
                "Send a smaller one, or over a faster line."
            ) from error

    async def _same(self, earlier: Job, upload: Upload) -> Job:
        """Read an upload whose key was used before, and compare."""
        most_idle = self._settings.upload_idle_seconds
        arrival = Arrival(upload, accepted_of(upload.kind, self._settings), most_idle)
        async with self._in_time():
            async for _ in arrival.chunks():
                pass
        what = upload.kind, arrival.sha256, asked_in(upload.kind, upload.settings)
        if what != (earlier.kind, earlier.sha256, asked_in(earlier.kind, earlier.settings)):
            raise _other_key()
        return earlier

    def _with_key(self, owner: Owner, digest: str | None) -> Job | None:
        """Return the job of a key; what a front that was killed had of one makes room."""
        if digest is None:
            return None
        found = self._folder.ledger.with_key(owner, digest, ABANDONED_SECONDS)
        if found is None or found.state is not State.RECEIVING:
            return found
        self._folder.store.erase(found.prefix)
        self._folder.ledger.forget(found)
        return None

    async def _take_in(self, owner: Owner, upload: Upload) -> Job:
        accepted = accepted_of(upload.kind, self._settings)
        # Ahead of the room: for what is too large there is none later either.
        accepted.check_size(upload.announced or 0)
        job = await asyncio.to_thread(self._reserve, owner, upload)
        most_idle = self._settings.upload_idle_seconds
        arrival = Arrival(upload, accepted, most_idle, lambda: self._check_room(0))
        try:
            async with self._in_time(), said_to_arrive(self._folder.ledger, job):
                await self._folder.store.receive(job.source, arrival.chunks())
            arrived = arrival.size, arrival.sha256
            return await asyncio.to_thread(self._folder.ledger.received, job, *arrived)
        # Whatever ended it, be it a caller who hung up: nothing of it is left.
        except BaseException:
            await self._drop(job)
            raise

    def _reserve(self, owner: Owner, upload: Upload) -> Job:
        self._check_count()
        self._check_room(upload.announced or 0)
        return self._folder.ledger.reserve(
            owner,
            upload.kind,
            id=self._new_id(),
            name=upload.name,
            settings=upload.settings,
            idempotency_key=upload.key_digest,
            priority=upload.priority,
            webhook=upload.webhook,
        )

    async def _drop(self, job: Job) -> None:
        """Delete what came of an upload; where storage fails, a worker's steward does it later."""
        end = time.monotonic() + _DROP_SECONDS
        for left in reversed(range(_DROP_TRIES)):
            if time.monotonic() > end:
                return
            try:
                await asyncio.to_thread(self._folder.store.erase, job.prefix)
                await asyncio.to_thread(self._folder.ledger.forget, job)
            except StorageFailed as error:
                log.warning("upload_not_dropped", job=job.id, why=error.message)
                # The store lets go of a part a moment after it has failed, and only then is room.
                await asyncio.sleep(_DROP_WAIT if left else 0)
            else:
                return

    def _check_count(self) -> None:
        counts = self._folder.ledger.counts()
        if sum(counts[state] for state in (State.RECEIVING, *ACTIVE)) >= self._settings.max_jobs:
            raise Overloaded(
                f"{self._settings.max_jobs} jobs are waiting already. Try again later.",
                _FULL_RETRY,
            )

    def _check_room(self, expected: int) -> None:
        if self._folder.store.free_bytes - expected < self._settings.min_free_bytes:
            raise StorageFull("The storage is full. Try again when there is room.")


def _other_key() -> InvalidRequest:
    return InvalidRequest(
        "This key (Idempotency-Key, or the id of a message) was used for something else, or with "
        "other settings. Use one of its own for each."
    )

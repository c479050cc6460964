"""Looks at schedules when their time comes, and makes jobs of what is new."""

import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import PurePosixPath
from typing import Any

import structlog

from emotion.errors import InputError, InvalidRequest
from service.jobs.job import ACTIVE, Kind, State, shown_name
from service.jobs.ledger import Ledger, new_row
from service.jobs.requests import location_of, settings_of
from service.jobs.schedules import Schedule, Schedules
from service.settings import Settings
from service.sources import Found, Sources, allowed_location
from service.storage_errors import StorageFailed, StorageUnavailable

# Of files that become jobs; what a file is, its bytes say later.
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    Kind.VIDEO: (
        ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ts", ".mts", ".m2ts",
    ),
    Kind.PHOTOS: (
        ".zip", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif",
    ),
}  # fmt: skip
_TURN_SECONDS = 300.0  # After which another may look, if this one came to no end.
_RETRY_SECONDS = 60.0
_AT_ONCE = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Scheduler:
    """One a worker; any number may look at the same schedules.

    Attributes:
        schedules: their rows.
        ledger: of jobs.
        sources: where files lie.
        settings: how many jobs may wait, and what may be read.
        ending: set when the worker is to end.
    """

    schedules: Schedules
    ledger: Ledger
    sources: Sources
    settings: Settings
    ending: threading.Event

    def look(self) -> None:
        """Look at what is due; where storage fails, the next look may do it."""
        try:
            for schedule in self.schedules.due(time.time()):
                if self.schedules.take(schedule, time.time() + _TURN_SECONDS):
                    self._look_at(schedule)
        except StorageFailed as error:
            log.warning("schedules_failed", why=error.why)

    def _look_at(self, schedule: Schedule) -> None:
        try:
            is_whole = self._queue_new(schedule)
        except InputError as error:
            log.warning("schedule_failed", schedule=schedule.id, why=type(error).__name__)
            then = schedule.after(time.time())
            self.schedules.note(schedule, then, error=error.message, is_whole=False)
            return
        except StorageUnavailable as error:
            # The bucket's store, or ours, which then raises again.
            log.warning("schedule_failed", schedule=schedule.id, why=error.message)
            then = time.time() + _RETRY_SECONDS
            self.schedules.note(schedule, then, error=error.message, is_whole=False)
            return
        now = time.time()
        then = schedule.after(now) if is_whole else now + _RETRY_SECONDS
        self.schedules.note(schedule, then, error=None, is_whole=is_whole)

    def _queue_new(self, schedule: Schedule) -> bool:
        """Make jobs of what is new; return whether that was all of it."""
        prefix = allowed_location(schedule.prefix, self.settings.allowed_sources)
        suffixes = SUFFIXES[schedule.kind]
        fitting = (
            one
            # A large prefix is listed for minutes: who is to end doesn't wait for that.
            for one in takewhile(lambda _: not self.ending.is_set(), self.sources.below(prefix))
            if PurePosixPath(one.location.name).suffix.lower() in suffixes
        )
        settings = settings_of(schedule.kind, schedule.settings, self.settings)
        queued = passed_over = 0
        for some in _parts(fitting):
            for file in self.schedules.unseen(schedule, some):
                if self.ending.is_set() or self._is_full():
                    log.info("schedule_waits", schedule=schedule.id, queued=queued)
                    return False
                try:
                    queued += self._queue(schedule, file, settings)
                except InvalidRequest:
                    # A store takes names that no URI can say; the others don't wait for it.
                    passed_over += 1
        if self.ending.is_set():
            log.info("schedule_waits", schedule=schedule.id, queued=queued)
            return False
        log.info("schedule_looked_at", schedule=schedule.id, queued=queued, passed_over=passed_over)
        return True

    def _queue(self, schedule: Schedule, file: Found, settings: dict[str, Any]) -> bool:
        location = location_of(schedule.kind, str(file.location), self.settings)
        row = new_row(
            schedule.owner,
            schedule.kind,
            id=uuid.uuid4().hex,
            name=shown_name(location.name),
            settings=settings,
            idempotency_key=None,
            uri=str(location),
            state=State.QUEUED,
        )
        return self.schedules.queue(schedule, file, row)

    def _is_full(self) -> bool:
        counts = self.ledger.counts()
        waiting = sum(counts[state] for state in (State.RECEIVING, *ACTIVE))
        return waiting >= self.settings.max_jobs


def _parts(files: Iterable[Found]) -> Iterator[list[Found]]:
    rest = iter(files)
    while part := list(islice(rest, _AT_ONCE)):
        yield part

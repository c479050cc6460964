"""Opens the desk when it is first asked for: a front that is sent photos alone stays small."""

import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import structlog

from emotion.errors import InvalidRequest
from service.present import JobsPresent
from service.settings import Settings
from service.storage_errors import StorageFailed, StorageUnavailable

if TYPE_CHECKING:
    from service.jobs.desk import Desk

_NO_FOLDER = "Jobs can't be kept: the service's storage can't be used. Its log says why."

log = structlog.get_logger()


class DeskOpener:
    """One a process of the front."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._desk: Desk | None = None
        self._rests_until = 0.0

    def open(self) -> "Desk":
        """Return the desk. To be called from a thread: the first call waits for the disk.

        Raises:
            StorageFull: there is no room in the data folder.
            StorageUnavailable: it is another installation's, or can't be read or written.
        """
        with self._lock:
            if self._desk is None:
                # Imported late: libraries for rows and objects, that photos do without.
                from service.jobs.desk import Desk  # noqa: PLC0415
                from service.jobs.opened import opened_folder  # noqa: PLC0415

                # As long as it took to fail, callers are told at once: there may be many.
                if time.monotonic() < self._rests_until:
                    raise StorageUnavailable(_NO_FOLDER)
                began = time.monotonic()
                try:
                    folder = self._held.enter_context(opened_folder(self._settings))
                except InvalidRequest as error:
                    # Ours to mend, and nothing that a caller has to know the place of.
                    log.warning("videos_refused", why=error.message)
                    self._rests_until = time.monotonic() + time.monotonic() - began
                    raise StorageUnavailable(_NO_FOLDER) from error
                self._desk = Desk(folder, self._settings)
            return self._desk

    def present(self) -> JobsPresent:
        """Say how it stands with jobs as a whole, without making a folder for them.

        Raises:
            StorageFull: see ``open``.
            StorageUnavailable: likewise.
        """
        if self._desk is None and not (self._is_set_up or self._settings.data_folder.has_rows):
            return JobsPresent(0, {}, 0.0, {})
        return self.open().present()

    def try_at_start(self) -> None:
        """Open the desk in a thread, where a database or a bucket is set up, and log what fails."""
        if self._is_set_up:
            threading.Thread(target=self._try, name="desk", daemon=True).start()

    def _try(self) -> None:
        # What is wrong is in the log by then, and may be mended before the first video comes.
        with suppress(StorageFailed):
            self.open()

    @property
    def _is_set_up(self) -> bool:
        return bool(self._settings.database_url or self._settings.bucket)

    def close(self) -> None:
        """Let go of the data folder."""
        with self._lock:
            self._desk = None
            self._held.close()

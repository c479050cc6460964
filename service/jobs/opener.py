"""Opens the desk when it is first asked for: a front that is sent photos alone stays small."""

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from service.metrics import VideosPresent
from service.settings import Settings

if TYPE_CHECKING:
    from service.jobs.desk import VideoDesk


class DeskOpener:
    """One a process of the front."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._desk: VideoDesk | None = None

    def open(self) -> "VideoDesk":
        """Return the desk. To be called from a thread: the first call waits for the disk.

        Raises:
            InvalidRequest: another installation uses the data folder.
            StorageFull: there is no room in it.
            StorageUnavailable: it can't be read or written.
        """
        with self._lock:
            if self._desk is None:
                # Imported late: libraries for rows and objects, that photos do without.
                from service.jobs.desk import VideoDesk  # noqa: PLC0415
                from service.jobs.opened import opened_folder  # noqa: PLC0415

                folder = self._held.enter_context(opened_folder(self._settings))
                self._desk = VideoDesk(folder, self._settings)
            return self._desk

    def present(self) -> VideosPresent:
        """Say how it stands with videos as a whole, without making a folder for them.

        Raises:
            InvalidRequest: see ``open``.
            StorageFull: likewise.
            StorageUnavailable: likewise.
        """
        if self._desk is None and not self._settings.data_folder.has_rows:
            return VideosPresent(0, {}, 0.0)
        return self.open().present()

    def close(self) -> None:
        """Let go of the data folder."""
        with self._lock:
            self._desk = None
            self._held.close()

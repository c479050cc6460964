"""Tries again where storage fails, and ends that at once when the worker is to end."""

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from service.storage_errors import StorageFailed

T = TypeVar("T")

_FIRST_WAIT = 1.0
_BACK_OFF = 2.0

log = structlog.get_logger()


class HandedBack(BaseException):
    """The worker is ending; the job goes on elsewhere, or here later.

    Not an ``Exception``: DBOS takes those for the job's outcome.
    """


class Patience:
    """One a worker."""

    def __init__(
        self, tries: int, ending: threading.Event, first_wait: float = _FIRST_WAIT
    ) -> None:
        """Set how patient a worker is.

        Args:
            tries: of one piece of work.
            ending: set when the worker is to end.
            first_wait: seconds after the first try; each later one waits twice as long.
        """
        self._tries = tries
        self._ending = ending
        self._first_wait = first_wait

    @property
    def is_ending(self) -> bool:
        """Whether the worker is to end."""
        return self._ending.is_set()

    def run(self, work: Callable[[], T]) -> T:
        """Do some work on storage, several times if need be.

        Raises:
            StorageFull: there was no room, the last time too.
            StorageUnavailable: storage failed, the last time too.
            HandedBack: the worker is to end, and storage fails.
        """
        wait = self._first_wait
        for left in reversed(range(self._tries)):
            try:
                return work()
            except StorageFailed as error:
                log.warning("storage_failed", why=error.why, tries_left=left)
                if not left:
                    raise
                if self._ending.wait(wait):
                    raise HandedBack from error
                wait *= _BACK_OFF
        raise AssertionError("Patience has at least one try.")

"""Work that is done again and again beside the service's own, in a thread."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Periodic:
    """Calls a function every so many seconds, the first time at once."""

    def __init__(self, name: str, work: Callable[[], None], seconds: float) -> None:
        """Prepare; nothing runs before ``start``.

        Args:
            name: of the thread.
            work: may take its time; what it raises is logged, and it is done again.
            seconds: from the end of one call to the beginning of the next.
        """
        self._work = work
        self._seconds = seconds
        self._told_to_end = threading.Event()
        # A daemon: a process doesn't wait for it at its end.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float | None = None) -> None:
        """End, after the call that is being made.

        Args:
            seconds: to wait for that at most; the process' end ends it then.
        """
        self._told_to_end.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._told_to_end.is_set():
            try:
                self._work()
            # Whatever it is: a sign of life, say, must not end silently while its process lives on.
            except Exception:
                log.exception("periodic_work_failed", work=self._thread.name)
            self._told_to_end.wait(self._seconds)

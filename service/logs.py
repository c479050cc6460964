"""Logs: one JSON object a line on standard output, an event with its key-values.

A line that can't be written (the disk is full, who read it has gone) is lost: work goes on. While
something stays broken, what is said of it again and again is written twice a minute.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

_REPEAT_SECONDS = 30.0
_MOST_KNOWN = 256
_TROUBLE = ("warning", "error", "critical")


class Unfailing:
    """A stream to whose writers it makes no difference whether they can write."""

    def __init__(self, stream: TextIO) -> None:
        """Write to another stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that can be."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Likewise."""
        with suppress(OSError):
            self._stream.flush()


@dataclass(slots=True)
class _Written:
    at: float
    repeated: int = 0


class Repeats:
    """A processor of structlog's: drops trouble that was written alike a moment ago.

    The next that is written says in ``repeated`` how many were dropped.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of nothing yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Written] = {}

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Return an event, or raise ``structlog.DropEvent``."""
        if method not in _TROUBLE:
            return event
        key = repr(sorted(event.items()))
        with self._lock:
            now = self._clock()
            known = self._known.get(key)
            if known is not None and now - known.at < _REPEAT_SECONDS:
                known.repeated += 1
                raise structlog.DropEvent
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = _Written(now)
        if known is not None and known.repeated:
            event["repeated"] = known.repeated
        return event


def set_up_logging() -> None:
    """Send structlog's events to standard output. Called once, by an entry point."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            Repeats(),
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", Unfailing(sys.stdout))),
    )


def log_as_events(name: str) -> None:
    """Have a library that logs by Python's own means do so as structlog's events do.

    Args:
        name: of its logger, which is then the event's.
    """
    logger = logging.getLogger(name)
    logger.handlers, logger.propagate = [_Events()], False


class _Events(logging.Handler):
    """Passes records on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Make a record an event."""
        structlog.get_logger().log(
            record.levelno, record.name, detail=record.getMessage(), exc_info=record.exc_info
        )

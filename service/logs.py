"""Logs: one JSON object a line on standard output, an event with its key-values.

A line that can't be written (the disk is full, who read it has gone) is lost: work goes on.
"""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


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


def set_up_logging() -> None:
    """Send structlog's events to standard output. Called once, by an entry point."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
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

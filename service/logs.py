"""Logs: one JSON object a line on standard output, an event with its key-values."""

import logging
import sys

import structlog


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
        logger_factory=structlog.PrintLoggerFactory(file=sys.stdout),
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

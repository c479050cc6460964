"""Work that is done again and again, and left undone where storage fails: the next time may do."""

from collections.abc import Callable

import structlog

from service.storage_errors import StorageFailed, storage_errors

log = structlog.get_logger()


def do_chore(name: str, work: Callable[[], None]) -> None:
    """Do some work; where storage fails, log that by the work's name and go on."""
    try:
        with storage_errors():
            work()
    except StorageFailed as error:
        log.warning("chore_failed", chore=name, why=error.why)

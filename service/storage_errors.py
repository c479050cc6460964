"""What storage can fail with, rows and objects alike, and the one place that tells it apart."""

import errno
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from emotion.errors import CapacityError

_FULL = (errno.ENOSPC, errno.EDQUOT)
# The object store and SQLite say so in words only.
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "disk is full")
# Not an object that is missing, but all of them; the stores answer both in the same way.
NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|specified bucket does not exist")
_UNAVAILABLE = "The storage doesn't answer. Try again shortly."


class StorageFailed(CapacityError):
    """What is kept can't be reached, or nothing can be added to it."""

    @property
    def why(self) -> str:
        """What the storage itself says, on a line, for the log."""
        return str(self.__cause__ or self).partition("\n")[0]


class StorageFull(StorageFailed):
    """There is no room for what is to be kept."""


class StorageUnavailable(StorageFailed):
    """What is kept can't be read or written now."""


class _Failures:
    """Counts what was told, by kind: one a process, as of metrics."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {StorageFull.__name__: 0, StorageUnavailable.__name__: 0}

    def counted(self, error: CapacityError) -> CapacityError:
        with self._lock:
            self._counts[type(error).__name__] += 1
        return error

    def so_far(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._counts)


_failures = _Failures()


def failures_so_far() -> Mapping[str, int]:
    """Return how often storage failed this process, by the name of the error."""
    return _failures.so_far()


@contextmanager
def storage_errors() -> Iterator[None]:
    """Tell a failure of storage in our words.

    That a row is there already, or that what we wrote is nothing to be stored, is no failure of
    storage: it passes through.

    Raises:
        StorageFull: the disk is full.
        StorageUnavailable: any other failure.
        FileNotFoundError: the object is not there.
    """
    # Imported late: who only names an error needs none of them.
    from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415
    from sqlalchemy.exc import DataError, DBAPIError, IntegrityError  # noqa: PLC0415
    from sqlalchemy.exc import TimeoutError as NoConnectionFree  # noqa: PLC0415

    try:
        yield
    except (IntegrityError, DataError):
        raise
    except (FileNotFoundError, NotFoundError) as error:
        if NO_BUCKET.search(str(error)):
            raise _failures.counted(StorageUnavailable(_UNAVAILABLE)) from error
        raise
    except (OSError, DBAPIError, NoConnectionFree, BaseError) as error:
        if _is_full(error):
            full = StorageFull("The storage is full. Try again when there is room.")
            raise _failures.counted(full) from error
        raise _failures.counted(StorageUnavailable(_UNAVAILABLE)) from error


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in str(error) for words in _FULL_WORDS)

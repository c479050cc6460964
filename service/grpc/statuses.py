"""The one table from errors to gRPC's statuses, and the hints that go with them."""

import grpc

from emotion.errors import (
    CapacityError,
    DeadlineExceeded,
    InputError,
    ModelError,
    Overloaded,
    RaptError,
)
from service.retries import retry_after
from service.storage_errors import StorageFull

Metadata = tuple[tuple[str, str], ...]

_STATUSES: dict[type[RaptError], grpc.StatusCode] = {
    InputError: grpc.StatusCode.INVALID_ARGUMENT,
    CapacityError: grpc.StatusCode.UNAVAILABLE,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    StorageFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    ModelError: grpc.StatusCode.UNAVAILABLE,
}


def status_of(error: RaptError) -> grpc.StatusCode:
    """Return the status of an error."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def retry_metadata(error: RaptError) -> Metadata:
    """Return the trailing metadata that says when trying again may help, if it may.

    ``retry-after`` is HTTP's, in seconds; ``grpc-retry-pushback-ms`` is gRPC's own (proposal A6),
    which clients with a retry policy keep to.
    """
    seconds = retry_after(error)
    if seconds is None:
        return ()
    return (("retry-after", str(seconds)), ("grpc-retry-pushback-ms", str(seconds * 1000)))

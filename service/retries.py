"""When to try again: one hint for every transport."""

import math

from emotion.errors import ModelError, Overloaded, RaptError
from service.storage_errors import StorageFull, StorageUnavailable

_MODEL_RETRY_AFTER = 10.0  # Seconds in which a model's process is missed and started again.
_STORAGE_RETRY_AFTER = 10.0
_ROOM_RETRY_AFTER = 300.0  # Seconds; room is made by people, or when videos end.


def retry_after(error: RaptError) -> int | None:
    """Return the whole seconds after which trying again may help; None where it won't."""
    if isinstance(error, Overloaded):
        return math.ceil(error.retry_after)
    if isinstance(error, ModelError):
        return math.ceil(_MODEL_RETRY_AFTER)
    if isinstance(error, StorageUnavailable):
        return math.ceil(_STORAGE_RETRY_AFTER)
    if isinstance(error, StorageFull):
        return math.ceil(_ROOM_RETRY_AFTER)
    return None

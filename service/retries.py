"""When to try again: one hint for every transport."""

import math

from emotion.errors import ModelError, Overloaded, RaptError

_MODEL_RETRY_AFTER = 10.0  # Seconds in which a model's process is missed and started again.


def retry_after(error: RaptError) -> int | None:
    """Return the whole seconds after which trying again may help; None where it won't."""
    if isinstance(error, Overloaded):
        return math.ceil(error.retry_after)
    if isinstance(error, ModelError):
        return math.ceil(_MODEL_RETRY_AFTER)
    return None

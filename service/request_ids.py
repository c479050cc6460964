"""A request's id: the caller's where it is a plain one, else a new UUID."""

import re
import uuid

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")


def choose_request_id(offered: str | None) -> str:
    """Return the id of a request whose caller offered one, or none."""
    return offered if offered and _PLAIN.fullmatch(offered) else str(uuid.uuid4())

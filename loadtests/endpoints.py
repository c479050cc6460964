"""What the figures are listed under: endpoints as callers know them."""

PHOTO_HTTP = "photo, HTTP"
PHOTO_GRPC = "photo, gRPC"
BATCH = "batch, HTTP"
VIDEO = "video, from sent to report"
ENDPOINTS = (PHOTO_HTTP, PHOTO_GRPC, BATCH, VIDEO)
_REFUSED = " (refused)"


def refused(endpoint: str) -> str:
    """Return the name for calls that were refused with the hint to try again.

    They are listed apart, so that they don't make answers look fast.
    """
    return endpoint + _REFUSED


def of_refused(name: str) -> str | None:
    """Return the endpoint of which a name lists the refused calls; None if it lists others."""
    return name.removesuffix(_REFUSED) if name.endswith(_REFUSED) else None

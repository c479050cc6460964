"""Which form of a report is answered, as the path or the Accept header asks."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from emotion.errors import InvalidRequest
from emotion.reports.formats import FORMATS, MEDIA_TYPES, ReportFormat


def choose_format(request: Request) -> ReportFormat:
    """Return the form that is asked for: by ``format``, else by Accept; JSON where all will do.

    Raises:
        InvalidRequest: ``format`` is none of ours.
        HTTPException: 406, Accept names none of ours.
    """
    asked = request.query_params.get("format")
    if asked is not None:
        for form in FORMATS:
            if form == asked:
                return form
        raise InvalidRequest(f"format: {asked[:32]!r} is none of {', '.join(FORMATS)}.")
    for accepted in _by_preference(request.headers.get("accept") or "*/*"):
        for form, media_type in MEDIA_TYPES.items():
            kind = media_type.partition(";")[0]
            if accepted in (kind, "*/*", f"{kind.partition('/')[0]}/*"):
                return form
    raise HTTPException(
        HTTPStatus.NOT_ACCEPTABLE, "A report is JSON, CSV or HTML (?format=json, csv or html)"
    )


def _by_preference(accept: str) -> list[str]:
    """Return the media types of an Accept header, the most wanted first (RFC 9110, 12.5.1)."""
    wanted: list[tuple[float, str]] = []
    for one in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            wanted.append((float(quality), kind))
        except ValueError:
            continue
    return [kind for quality, kind in sorted(wanted, key=lambda pair: -pair[0]) if quality > 0]

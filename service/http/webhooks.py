"""The webhook of a request that asks for a job."""

from starlette.requests import Request

from service.settings import Settings


def read_webhook(request: Request, settings: Settings) -> str | None:
    """Return the URL in the query's field ``webhook``, where there is one.

    Raises:
        InvalidRequest: it is none that may be told of a job's end.
    """
    webhook = request.query_params.get("webhook")
    if webhook is None:
        return None
    # Imported late: it parses URLs, and most jobs have none.
    from service.delivery.targets import check_webhook  # noqa: PLC0415

    return check_webhook(webhook, settings)

"""The webhook of a request that asks for a job."""

from starlette.requests import Request

from emotion.errors import InvalidRequest
from service.settings import Settings


def read_webhook(request: Request, settings: Settings) -> str | None:
    """Return the URL in the query's field ``webhook``, where there is one.

    Raises:
        InvalidRequest: there are several, or it is none that may be told of a job's end.
    """
    webhooks = request.query_params.getlist("webhook")
    if not webhooks:
        return None
    if len(webhooks) > 1:
        raise InvalidRequest("webhook: a job has one at most.")
    # Imported late: it parses URLs, and most jobs have none.
    from service.delivery.targets import check_webhook  # noqa: PLC0415

    return check_webhook(webhooks[0], settings)

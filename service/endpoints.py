"""Where stores of objects are reached, as the environment says: looked at before it is used."""

import os

from emotion.errors import InvalidRequest

_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AZURE_ENDPOINT")


def check_endpoints() -> None:
    """Refuse what the stores' client would end the process for, and not by an exception.

    Raises:
        InvalidRequest: a variable holds no URL.
    """
    for name in _VARIABLES:
        endpoint = os.environ.get(name, "")
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise InvalidRequest(f"{name}: it is no URL. Begin it with http:// or https://.")

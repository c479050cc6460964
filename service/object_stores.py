"""What is alike wherever objects lie, in S3, Google's store or Azure's: who may read, who refuses.

Endpoints and credentials come from the environment alone, as each store's own client reads them.
"""

import os
import re

from emotion.errors import InvalidRequest

# Who reads, by the names of its variables.
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
# What the stores answer in words: XML error codes, or a status where there is no XML.
REFUSED = re.compile(
    r"SignatureDoesNotMatch|InvalidAccessKeyId|AccessDenied|InvalidToken|ExpiredToken"
    r"|AuthenticationFailed|40[13] (?:Unauthorized|Forbidden)|token request|lacked the necessary"
    r"|credential",
    re.IGNORECASE,
)
# S3 takes no request whose time is a quarter of an hour off, and answers 403 as well.
CLOCK = "RequestTimeTooSkewed"
WRONG_CLOCK = "this machine's clock is not the store's. Set it."
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AZURE_ENDPOINT")


def check_endpoints() -> None:
    """Refuse what the stores' client would end the process for, and not by an exception.

    Raises:
        InvalidRequest: a variable holds no URL.
    """
    for name in _ENDPOINTS:
        endpoint = os.environ.get(name, "")
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise InvalidRequest(f"{name}: it is no URL. Begin it with http:// or https://.")

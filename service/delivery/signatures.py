"""How a webhook says that it is ours: https://github.com/standard-webhooks/standard-webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence


def signed_headers(
    keys: Sequence[bytes], message_id: str, sent_at: float, body: bytes
) -> Mapping[str, str]:
    """Return the three headers of the Standard Webhooks specification, version 1.0.

    Args:
        keys: each of them signs.
        message_id: the same at each try.
        sent_at: of this try, in seconds since 1970.
        body: as it is sent.
    """
    timestamp = str(int(sent_at))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    digests = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests),
    }

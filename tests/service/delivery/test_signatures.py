import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.delivery.signatures import signed_headers
from service.settings import Settings

OLD, NEW = ("whsec_" + text * 4 for text in ("c2VjcmV0", "c2VjcmV1"))
BODY = b'{"type":"job.completed"}'


def headers_of(secrets: str, sent_at: float) -> dict[str, str]:
    keys = Settings.model_validate({"webhook_secret": secrets}).webhook_keys
    return dict(signed_headers(keys, "msg_1", sent_at, BODY))


def test_the_specifications_own_library_verifies_it() -> None:
    headers = headers_of(OLD, time.time())
    assert Webhook(OLD).verify(BODY, headers) == json.loads(BODY)


def test_another_body_another_secret_and_an_old_time_are_refused() -> None:
    headers = headers_of(OLD, time.time())
    for secret, body, sent in (
        (OLD, BODY + b" ", headers),
        (NEW, BODY, headers),
        (OLD, BODY, headers_of(OLD, time.time() - 3600)),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, sent)


def test_each_of_several_secrets_signs() -> None:
    headers = headers_of(f"{OLD} {NEW}", time.time())
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


def test_the_specifications_example_has_the_signature_that_it_tells() -> None:
    # From the test vectors of github.com/standard-webhooks/standard-webhooks.
    keys = Settings.model_validate(
        {"webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    ).webhook_keys
    body = b'{"test": 2432232314}'
    headers = signed_headers(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.0, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

"""The code that the page tells people to verify webhooks with does so."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.delivery.signatures import signed_headers
from service.settings import Settings
from tests.webhook_server import SECRET

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"
BODY = b"{}"


@pytest.fixture
def verify() -> Callable[[str, dict[str, str], bytes], bool]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(code, names)  # noqa: S102  # the page's own
    return names["verify"]


def headers_of(secrets: str, sent_at: float) -> dict[str, str]:
    keys = Settings.model_validate({"webhook_secret": secrets}).webhook_keys
    return dict(signed_headers(keys, "msg_1", sent_at, BODY))


def test_what_is_ours_and_new_is_verified(
    verify: Callable[[str, dict[str, str], bytes], bool],
) -> None:
    other = "whsec_" + "b3RoZXIh" * 4
    assert verify(SECRET, headers_of(SECRET, time.time()), BODY)
    assert verify(SECRET, headers_of(f"{other} {SECRET}", time.time()), BODY)


def test_what_is_not_ours_changed_or_old_is_not(
    verify: Callable[[str, dict[str, str], bytes], bool],
) -> None:
    other = "whsec_" + "b3RoZXIh" * 4
    assert not verify(other, headers_of(SECRET, time.time()), BODY)
    assert not verify(SECRET, headers_of(SECRET, time.time()), b"{ }")
    assert not verify(SECRET, headers_of(SECRET, time.time() - 301), BODY)

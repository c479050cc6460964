import pytest

from emotion.errors import (
    DeadlineExceeded,
    ModelUnavailable,
    Overloaded,
    RaptError,
    UndecodableImage,
)
from service.retries import retry_after


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Overloaded("full", 1.0), 1),
        (Overloaded("full", 1.2), 2),
        (ModelUnavailable("gone"), 10),
        (DeadlineExceeded("late"), None),
        (UndecodableImage("bad"), None),
    ],
)
def test_trying_again_helps_where_it_is_full_or_a_model_is_gone(
    error: RaptError, seconds: int | None
) -> None:
    assert retry_after(error) == seconds

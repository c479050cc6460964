"""When a schedule is due."""

import pytest

from emotion.errors import InvalidRequest
from service.jobs.schedules import next_time

NIGHTLY = "0 3 * * *"
THREE_O_CLOCK = 1795748400.0  # 2026-11-27, UTC.


@pytest.mark.parametrize(
    ("cron", "now", "then"),
    [
        (NIGHTLY, THREE_O_CLOCK - 1, THREE_O_CLOCK),
        (NIGHTLY, THREE_O_CLOCK, THREE_O_CLOCK + 86_400),
        ("*/5 * * * mon-fri", THREE_O_CLOCK + 1, THREE_O_CLOCK + 300),
    ],
)
def test_a_time_is_told_by_five_fields_in_utc(cron: str, now: float, then: float) -> None:
    assert next_time(cron, now) == then


@pytest.mark.parametrize(
    "cron",
    ["", "often", "* * * *", "* * * * * *", "@hourly", "61 * * * *", "0 0 31 2 *", "R * * * *",
     "0 3 * * *\n", "*/0 * * * *", "0" * 200],
)  # fmt: skip
def test_what_is_no_time_is_refused(cron: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^cron: .* is no time\. "):
        next_time(cron, THREE_O_CLOCK)

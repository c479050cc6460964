import time

import pytest

from emotion.deadline import Deadline
from emotion.errors import DeadlineExceeded


def test_deadline_without_a_time_never_comes() -> None:
    Deadline().check()
    assert Deadline().remaining == float("inf")


def test_deadline_in_the_future_lets_work_begin() -> None:
    deadline = Deadline.after(60)
    deadline.check()
    assert 59 < deadline.remaining <= 60


@pytest.mark.parametrize("ago", [0.0, 1.5])
def test_deadline_in_the_past_stops_work(ago: float) -> None:
    deadline = Deadline(at=time.monotonic() - ago)
    assert deadline.remaining <= -ago
    with pytest.raises(DeadlineExceeded, match="nothing was computed"):
        deadline.check()

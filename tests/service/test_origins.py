import pytest
from structlog.contextvars import get_contextvars

from service.origins import Origin, coming_from, current_origin, plain_traceparent

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_traceparent_names_its_trace() -> None:
    assert Origin("r1", TRACEPARENT).trace_id == TRACE
    assert Origin("r1").trace_id is None


def test_in_the_block_work_comes_from_there_and_after_it_from_where_it_did() -> None:
    with coming_from(Origin("r1", TRACEPARENT)):
        with coming_from(Origin("r2")):
            assert current_origin() == Origin("r2")
        assert current_origin() == Origin("r1", TRACEPARENT)
    assert current_origin() == Origin()


def test_whatever_is_logged_in_the_block_carries_what_is_known() -> None:
    with coming_from(Origin("r1", TRACEPARENT)):
        assert get_contextvars() == {"request_id": "r1", "trace_id": TRACE}
    with coming_from(Origin("r1")):
        assert get_contextvars() == {"request_id": "r1"}
    assert get_contextvars() == {}


def test_a_traceparent_of_this_version_is_taken_on() -> None:
    assert plain_traceparent(TRACEPARENT) == TRACEPARENT


@pytest.mark.parametrize(
    "offered",
    [
        None,
        "",
        "a word",
        TRACEPARENT.upper(),
        TRACEPARENT + "-more",
        TRACEPARENT + "\n",
        "01" + TRACEPARENT[2:],
        "ff" + TRACEPARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-b7ad6b7169203331",
    ],
)
def test_any_other_is_passed_over(offered: str | None) -> None:
    assert plain_traceparent(offered) is None

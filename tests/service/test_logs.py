import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from service.logs import Repeats, log_as_events, set_up_logging
from tests.service.full_stream import FullStream


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    former = structlog.get_config()
    yield
    structlog.configure(**former)


def test_an_event_is_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    structlog.get_logger().info("photo_answered", request_id="r1", faces=2)
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "photo_answered", "level": "info", "request_id": "r1", "faces": 2}


def test_a_line_that_cant_be_written_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", FullStream())
    set_up_logging()
    structlog.get_logger().info("photo_answered")


def test_an_exception_is_told_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    structlog.get_logger().error("unexpected_error", exc_info=ValueError("why"))
    assert "ValueError: why" in json.loads(capsys.readouterr().out)["exception"]


def test_details_for_developers_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    structlog.get_logger().debug("detail")
    assert capsys.readouterr().out == ""


class Clock:
    """Shows what a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def written(repeats: Repeats, method: str, **event: object) -> bool | int:
    """Whether an event is written; how many were dropped before it, if it says so."""
    try:
        repeated: int = repeats(None, method, dict(event)).get("repeated", 0)
    except structlog.DropEvent:
        return False
    return repeated or True


def test_trouble_that_goes_on_is_written_twice_a_minute_and_counted() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    said = []
    for second in range(61):
        clock.now = second
        said.append(written(repeats, "warning", event="chore_failed", chore="sweep"))
    assert [second for second, one in enumerate(said) if one] == [0, 30, 60]
    assert said[30] == said[60] == 29


def test_trouble_that_is_another_or_no_trouble_is_written() -> None:
    repeats = Repeats(Clock())
    assert written(repeats, "warning", event="chore_failed", chore="sweep")
    assert written(repeats, "warning", event="chore_failed", chore="erase")
    assert written(repeats, "error", event="chore_failed")
    assert [written(repeats, "info", event="photo_answered") for _ in range(3)] == [True] * 3


def test_no_more_trouble_is_remembered_than_there_is_room_for() -> None:
    repeats = Repeats(Clock())
    for job in range(1000):
        assert written(repeats, "warning", event="job_failed", job=job)
    assert len(repeats._known) <= 256


def test_a_library_that_logs_by_pythons_means_makes_events(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging()
    log_as_events("a_library")
    logging.getLogger("a_library").error("it %s", "broke", exc_info=ValueError("why"))
    captured = capsys.readouterr()
    event = json.loads(captured.out)
    assert (event["event"], event["detail"], event["level"]) == ("a_library", "it broke", "error")
    assert "ValueError: why" in event["exception"]
    assert captured.err == ""

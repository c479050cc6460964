import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from service.logs import log_as_events, set_up_logging
from tests.service.full_stream import FullStream


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


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

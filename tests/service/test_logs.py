import json
from collections.abc import Iterator

import pytest
import structlog

from service.logs import set_up_logging


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


def test_an_exception_is_told_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    structlog.get_logger().error("unexpected_error", exc_info=ValueError("why"))
    assert "ValueError: why" in json.loads(capsys.readouterr().out)["exception"]


def test_details_for_developers_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    structlog.get_logger().debug("detail")
    assert capsys.readouterr().out == ""

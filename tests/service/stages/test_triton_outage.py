import pytest
from structlog.testing import capture_logs

from service.stages import triton_outage
from service.stages.triton_outage import TritonOutage


def test_an_outage_is_told_once_with_what_to_do_about_it() -> None:
    outage = TritonOutage("triton:8001")
    with capture_logs() as logs:
        outage.goes_on("connection refused")
        outage.goes_on("connection refused")
    assert logs == [
        {
            "event": "triton_does_not_answer",
            "log_level": "warning",
            "address": "triton:8001",
            "reason": "connection refused",
            "advice": "Start Triton there, or name another with RAPT_TRITON_ADDRESS.",
        }
    ]


def test_an_outage_that_lasts_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_outage, "_QUIET_SECONDS", 0.0)
    outage = TritonOutage("triton:8001")
    with capture_logs() as logs:
        outage.goes_on("connection refused")
        assert not outage.is_quiet
        outage.goes_on("connection refused")
    assert [one["event"] for one in logs] == ["triton_does_not_answer"] * 2


def test_its_end_is_told_if_it_was() -> None:
    outage = TritonOutage("triton:8001")
    with capture_logs() as logs:
        outage.ends()
        outage.goes_on("connection refused")
        outage.ends()
        outage.ends()
    assert [one["event"] for one in logs] == ["triton_does_not_answer", "triton_answers_again"]


def test_a_server_that_comes_and_goes_is_told_rarely() -> None:
    outage = TritonOutage("triton:8001")
    with capture_logs() as logs:
        for _ in range(10):
            outage.goes_on("connection refused")
            outage.ends()
    assert [one["event"] for one in logs] == ["triton_does_not_answer", "triton_answers_again"]

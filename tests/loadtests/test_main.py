"""The program as people and CI start it."""

import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from click.testing import CliRunner

from loadtests.__main__ import main
from loadtests.shapes import positive
from tests.e2e.servers import words_of

NOBODY = ("--target", "http://127.0.0.1:9", "127.0.0.1:9")


@pytest.mark.parametrize("option", ["--rate", "--scale"])
@pytest.mark.parametrize("number", ["0", "-1", "nan", "inf", "much"])
def test_a_number_that_is_not_above_zero_is_refused(option: str, number: str) -> None:
    result = CliRunner().invoke(main, [*NOBODY, option, number])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': it has to be a number above 0, not {number}" in (
        result.output
    )


@pytest.mark.parametrize("number", ["0", "nan", "inf", "much"])
def test_locusts_own_command_line_refuses_it_too(number: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"a number above 0, not {number}")):
        positive(number)


def test_no_process_to_call_with_is_refused() -> None:
    assert CliRunner().invoke(main, [*NOBODY, "--processes", "0"]).exit_code == 2


@pytest.mark.parametrize("url", ["127.0.0.1:9", "localhost:9", "rapt", "http://"])
def test_a_target_that_is_no_url_is_refused(url: str) -> None:
    result = CliRunner().invoke(main, ["--target", url, "127.0.0.1:9"])
    assert result.exit_code == 2
    assert f"{url!r} is no URL: say http://HOST:PORT." in result.output


@pytest.mark.parametrize(
    ("words", "sign", "status"),
    [
        (("--topology", "inline"), signal.SIGTERM, 128 + signal.SIGTERM),
        ((*NOBODY, "--processes", "2"), signal.SIGINT, 1),
    ],
)
def test_a_run_that_is_told_to_end_leaves_nothing_running(
    words: tuple[str, ...], sign: signal.Signals, status: int
) -> None:
    command = [sys.executable, "-m", "loadtests", "--shape", "soak", *words]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603  # our own words
        try:
            family = family_with_locust(process)
            process.send_signal(sign)
            assert process.wait(40) == status
        finally:
            process.kill()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def family_with_locust(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All processes of a run, from when it calls."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        family: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
        if any("locust" in words_of(one) for one in family):
            time.sleep(3)  # It listens to signals by now, and its users wait for answers.
            return family
        time.sleep(0.2)
    raise AssertionError("Locust was never started")

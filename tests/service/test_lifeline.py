import subprocess
import sys

import pytest

MIDDLE = """
import subprocess, sys
from service.lifeline import lifeline
child = subprocess.Popen(
    [sys.executable, "-c", "import sys, time; print('up', flush=True); time.sleep(60)"],
    preexec_fn=lifeline(),
)
child.wait()
"""
SELF = """
import os, sys, time
from service.lifeline import end_with_parent
if os.fork() == 0:
    end_with_parent()
    print('up', flush=True)
    time.sleep(60)
os.wait()
"""
LATE = """
import ctypes, os, time, types
from service.lifeline import end_with_parent, lifeline
parent = os.getpid()
def tied_late(*_):
    while os.getppid() == parent:
        time.sleep(0.01)
ctypes.CDLL = lambda _: types.SimpleNamespace(prctl=tied_late)
tie = {}
if os.fork() == 0:
    tie()
    print('up', flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
@pytest.mark.parametrize("middle", [MIDDLE, SELF])
def test_a_process_ends_with_the_one_that_started_it_however_that_ends(middle: str) -> None:
    command = [sys.executable, "-c", middle]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own words
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
        # Ends only when the last process that could write to it has ended.
        assert process.stdout.read() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
@pytest.mark.parametrize("tie", ["lifeline()", "end_with_parent"])
def test_a_process_ends_though_who_started_it_ended_before_it_was_tied(tie: str) -> None:
    command = [sys.executable, "-c", LATE.format(tie)]
    # Waits for all that could write.
    done = subprocess.run(  # noqa: S603  # our own words
        command, capture_output=True, check=True, timeout=60
    )
    assert done.stdout == b""

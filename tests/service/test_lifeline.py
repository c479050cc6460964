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

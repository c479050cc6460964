"""BentoML's supervisor with processes that tell when they end, in a process of its own."""

import signal
import subprocess
import sys

import pytest

# A process that says when it has begun, and takes a while to end.
_CHILD = """
import signal, sys, time
def end(*_):
    time.sleep({seconds})
    print("{name} ended", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("{name} began", flush=True)
while True:
    time.sleep(1)
"""
_SUPERVISOR = f"""
from service.orderly_end import end_front_first
end_front_first()
from bentoml._internal.utils import circus
from bentoml.serving import create_watcher
seconds = {{"service_Model": 0.0, "service": 0.6}}
watchers = [
    create_watcher(name, ["-c", {_CHILD!r}.format(name=name, seconds=seconds[name])])
    for name in seconds
]
circus.create_standalone_arbiter(watchers).start()
"""


@pytest.mark.parametrize("times", [1, 3])
def test_the_front_ends_before_its_models_however_often_it_is_told(times: int) -> None:
    with subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", _SUPERVISOR], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        begun = {process.stdout.readline(), process.stdout.readline()}
        assert begun == {"service began\n", "service_Model began\n"}
        for _ in range(times):
            process.send_signal(signal.SIGTERM)
        lines = process.stdout.readlines()
        assert process.wait(20) == 0
    assert lines == ["service ended\n", "service_Model ended\n"]

"""The frame of a process that works until it is told to end: logs, signals, its exit status."""

import signal
import sys
import threading
from collections.abc import Callable

from emotion.errors import RaptError
from service.logs import set_up_logging


def run_until_told(work: Callable[[threading.Event], None]) -> int:
    """Do some work; Ctrl-C and SIGTERM set an event that it ends by.

    Returns:
        The exit status: 1 where it couldn't be done, which is then told in a sentence.
    """
    set_up_logging()
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        work(ending)
    except RaptError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    return 0

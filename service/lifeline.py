"""Ties a process's life to that of the process that started it, whatever ends that one."""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent() -> None:
    """Have the kernel ask this process to end (SIGTERM) once its parent has ended.

    For Linux; elsewhere it does nothing.
    """
    lifeline()()


def lifeline() -> Callable[[], None]:
    """Return ``end_with_parent`` in a form that may run between fork and exec.

    All that takes time or locks is done before it is returned.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

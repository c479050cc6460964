"""Ties a process's life to that of the process that started it, whatever ends that one."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_Prctl = Callable[[int, int], int]


def end_with_parent() -> None:
    """Have the kernel ask this process to end (SIGTERM) once its parent has ended.

    For Linux; elsewhere it does nothing.
    """
    if sys.platform == "linux":
        _tie_to(os.getppid(), ctypes.CDLL(None).prctl)


def lifeline() -> Callable[[], None]:
    """Return what ties a child to this process; it may run between fork and exec.

    All that takes time or locks is done before it is returned.
    """
    if sys.platform != "linux":
        return lambda: None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def tie() -> None:
        # As exec will have it. A handler of the parent's would only note the signal, and be gone.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _tie_to(parent, prctl)

    return tie


def _tie_to(parent: int, prctl: _Prctl) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # The kernel says nothing of a parent that has ended before.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)

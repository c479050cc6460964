"""Signals for tests in a process that may have run models of three runtimes.

A real one has ended such a process; what has to meet a real one is run in a process of its own.
"""

import signal


def hand_over(number: signal.Signals) -> None:
    """Call the handler of a signal, as Python does once the signal has come."""
    handler = signal.getsignal(number)
    assert callable(handler)
    handler(number, None)

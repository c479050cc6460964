"""Logs that Triton doesn't answer: once, and then rarely, however often it is asked meanwhile."""

import math
import time

import structlog

# How long nothing more is said of it, in seconds.
_QUIET_SECONDS = 30.0

log = structlog.get_logger()


class TritonOutage:
    """Whether a Triton server answers, as far as the log was told."""

    def __init__(self, address: str) -> None:
        """Take the address that the log names."""
        self._address = address
        self._is_told = False
        self._quiet_until = -math.inf

    @property
    def is_quiet(self) -> bool:
        """Whether the log has heard of it lately."""
        return time.monotonic() < self._quiet_until

    def goes_on(self, reason: str) -> None:
        """Say that it does not answer, and why, unless that was said lately."""
        if self.is_quiet:
            return
        log.warning(
            "triton_does_not_answer",
            address=self._address,
            reason=reason,
            advice="Start Triton there, or name another with RAPT_TRITON_ADDRESS.",
        )
        self._is_told = True
        self._quiet_until = time.monotonic() + _QUIET_SECONDS

    def ends(self) -> None:
        """Say that it answers, if the log thinks otherwise."""
        if self._is_told:
            log.info("triton_answers_again", address=self._address)
            self._is_told = False

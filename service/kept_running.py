"""A process that is started again whenever it ends, and ended with the one that keeps it."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from service.lifeline import lifeline
from service.logs import Unfailing

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # Seconds before it is started again.
_WELL_SECONDS = 60.0  # One that ran for so long is started again after the first wait.
_END_SECONDS = 30.0


class KeptRunning:
    """One process; after each early end it waits twice as long, up to a minute."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it.

        Args:
            command: its words.
            environment: its variables, all of them.
        """
        self._command = command
        self._environment = environment
        self._wait = _FIRST_WAIT
        self._ended_at: float | None = None
        self._start()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of now, running or not."""
        return self._process

    def look(self) -> None:
        """Start it again, if it has ended and waited. To be called again and again."""
        if self._process.poll() is None:
            return
        now = time.monotonic()
        if self._ended_at is None:
            if now - self._started_at > _WELL_SECONDS:
                self._wait = _FIRST_WAIT
            self._ended_at = now
            said = Unfailing(sys.stderr)
            said.write(
                f"{self._command[-1]} ended with status {self._process.returncode}; it is started "
                f"again in {self._wait:.0f} s.\n"
            )
            said.flush()
        if now - self._ended_at >= self._wait:
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            self._start()

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        if self._process.poll() is None:
            self._process.terminate()

    def end(self) -> None:
        """Ask it to end, then make it."""
        self.ask_to_end()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._started_at, self._ended_at = time.monotonic(), None
        # A session of its own: the terminal's Ctrl-C reaches who keeps it, which passes it on.
        self._process = subprocess.Popen(  # noqa: S603  # our own words
            self._command,
            start_new_session=True,
            preexec_fn=lifeline(),  # noqa: PLW1509  # no threads run here
            env=self._environment,
        )

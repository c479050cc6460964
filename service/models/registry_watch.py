"""Pulls again and again, and remembers how it went.

Each pull runs in a process of its own: MLflow's client needs 80 MB, which a process that
answers photos would never give back.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import structlog
from pydantic import ValidationError

from service.models.pull import Outcome, Pulled

# Where the package that runs lies: in a Bento it is not installed.
_SOURCES = Path(__file__).resolve().parents[2]
_COMMAND = ("-P", "-m", "service.command_line", "models", "pull", "--json", "--in-background")
_PULL_SECONDS = 600.0

State = Literal[
    "off",
    "pending",
    "ok",
    "empty",
    "unreachable",
    "refused",
    "misconfigured",
    "unplaced",
    "failed",
]
_STATES: dict[Outcome, State] = {
    "pulled": "ok",
    "unchanged": "ok",
    "empty": "empty",
    "unreachable": "unreachable",
    "refused": "refused",
    "misconfigured": "misconfigured",
    "unplaced": "unplaced",
    "failed": "failed",
}
_NOT_ASKED = ("off", "pending", "misconfigured", "failed")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RegistryState:
    """How it stands with the registry.

    Attributes:
        state: off: nobody asks it; pending: it has not been asked yet; ok: its champion is
            here; empty: it has no champion; unreachable: it does not answer, or not to us;
            refused: its champion may not be served; misconfigured: its address is none;
            unplaced: its champion can't be written here; failed: a pull ended without an answer.
        since: when this state began.
        detail: why, in one line.
        champion: the champion's number in the registry, where it is known.
    """

    state: State
    since: datetime
    detail: str
    champion: str | None = None

    @property
    def is_up(self) -> bool | None:
        """Whether it answered when last asked; None where it was not, or that is not known."""
        return None if self.state in _NOT_ASKED else self.state != "unreachable"

    @property
    def is_champion_refused(self) -> bool | None:
        """Whether its champion may not be served; None where it is not known."""
        return self.state == "refused" if self.is_up else None

    @property
    def is_pull_failed(self) -> bool | None:
        """Whether the last pull failed by what is here, not there; None where there was none."""
        if self.state in ("off", "pending"):
            return None
        return self.state in ("misconfigured", "unplaced", "failed")


def registry_off() -> RegistryState:
    """Return the state of a service that asks no registry."""
    return RegistryState("off", _now(), "Models are not pulled.")


def registry_misconfigured(detail: str) -> RegistryState:
    """Return the state of a service that is given an address which is none, and log it once."""
    log.warning("registry_asked", outcome="misconfigured", detail=detail)
    return RegistryState("misconfigured", _now(), detail)


class RegistryWatch:
    """The state of the registry, as of the last ``look``."""

    def __init__(self, pull: Callable[[], Pulled]) -> None:
        """Begin without knowing anything.

        Args:
            pull: does it, and says what came of it.
        """
        self._pull = pull
        self.state = RegistryState("pending", _now(), "It has not been asked yet.")

    def look(self) -> None:
        """Pull once. The log tells of a change, and not again of what stays as it was."""
        pulled = self._pull()
        state = _state_after(pulled, self.state)
        if pulled.outcome == "pulled" or state.state != self.state.state:
            tell = log.info if state.state == "ok" else log.warning
            tell("registry_asked", outcome=pulled.outcome, detail=pulled.detail)
        self.state = state


def pull_in_a_process() -> Pulled:
    """Run ``rapt models pull`` with this process's environment; it ends when we do."""
    path = os.pathsep.join(filter(None, [str(_SOURCES), os.environ.get("PYTHONPATH")]))
    try:
        done = subprocess.run(  # noqa: S603  # our own words
            [sys.executable, *_COMMAND],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PULL_SECONDS,
            check=False,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        detail = f"A pull had not ended after {_PULL_SECONDS:.0f} s."
        return Pulled(outcome="unreachable", detail=detail)
    try:
        return Pulled.model_validate_json(done.stdout)
    except ValidationError:
        why = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        detail = f"A pull ended with status {done.returncode}: {why}"
        return Pulled(outcome="failed", detail=detail)


def _state_after(pulled: Pulled, before: RegistryState) -> RegistryState:
    state = _STATES[pulled.outcome]
    since = before.since if state == before.state else _now()
    return RegistryState(state, since, pulled.detail, pulled.registry_version)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)

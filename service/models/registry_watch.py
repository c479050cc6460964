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

from service.models.pull import Pulled

# Where the package that runs lies: in a Bento it is not installed.
_SOURCES = Path(__file__).resolve().parents[2]
_COMMAND = ("-P", "-m", "service.command_line", "models", "pull", "--json", "--in-background")
_PULL_SECONDS = 600.0

State = Literal["off", "pending", "ok", "unreachable", "refused"]
_STATES: dict[str, State] = {
    "pulled": "ok",
    "unchanged": "ok",
    "unreachable": "unreachable",
    "refused": "refused",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RegistryState:
    """How it stands with the registry.

    Attributes:
        state: off: nobody asks it; pending: it has not been asked yet; ok: its champion is
            here; unreachable: it does not answer; refused: its champion may not be served.
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
        """Whether it answered when last asked; None where it was not."""
        return None if self.state in ("off", "pending") else self.state != "unreachable"

    @property
    def is_champion_refused(self) -> bool | None:
        """Whether its champion may not be served; None where it is not known."""
        return self.state == "refused" if self.is_up else None


def registry_off() -> RegistryState:
    """Return the state of a service that asks no registry."""
    return RegistryState("off", _now(), "Models are not pulled.")


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
            log.info("registry_asked", outcome=pulled.outcome, detail=pulled.detail)
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
        return Pulled(outcome="refused", detail=detail)


def _state_after(pulled: Pulled, before: RegistryState) -> RegistryState:
    state = _STATES[pulled.outcome]
    since = before.since if state == before.state else _now()
    return RegistryState(state, since, pulled.detail, pulled.registry_version)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)

"""What is kept of a version: its last decision as tags, and all that happened to it, one by one.

Tags say what a version is now. What happened to it lies with its run:
``history/version-N/TIME-refused.json``, ``-accepted``, ``-promoted``, ``-rolled-back``.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from training.evaluation.decision import Compared, Decision, as_json, in_a_sentence
from training.registry.versions import Registry, Version

PROMOTED_TAG = "promoted"
GATE_TAG = "gate"

# MLflow servers before 2.16 take no longer tag.
LONGEST_TAG = 5000


def record(registry: Registry, version: Version, decision: Decision) -> None:
    """Keep the gate's decision about a version: as tags, as its description, in its history.

    Raises:
        RegistryError: MLflow doesn't answer.
    """
    tags = {
        GATE_TAG: _outcome(decision),
        "gate_reasons": " ".join(decision.reasons)[:LONGEST_TAG],
        "gate_champion": decision.champion or "none",
        "gate_p_value": "none" if decision.p_value is None else f"{decision.p_value:.6f}",
        "gate_images": f"{decision.gained} gained, {decision.lost} lost",
        "gate_accuracy": _pair(decision.accuracy),
        "gate_recalls": _pairs(decision.recall),
        "gate_slices": _pairs(decision.slices),
        "gate_worst_slice": decision.worst_slice or "none",
        "gate_recipe": decision.recipe.model_dump_json(),
        "gate_val": str(decision.judges),
    }
    registry.tag(version, tags)
    registry.describe(version, in_a_sentence(decision))
    remember_decision(registry, version, decision)


def remember_decision(registry: Registry, version: Version, decision: Decision) -> None:
    """Keep a decision in a version's history alone.

    Raises:
        RegistryError: MLflow doesn't answer.
    """
    _keep(registry, version, _outcome(decision), as_json(decision))


def remember(registry: Registry, version: Version, event: str, facts: Mapping[str, str]) -> None:
    """Keep in a version's history what happened to it, and when.

    Raises:
        RegistryError: MLflow doesn't answer.
    """
    content = json.dumps({"time": now(), **facts}, indent=2) + "\n"
    _keep(registry, version, event, content)


def now() -> str:
    """Return the time as it is kept: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _keep(registry: Registry, version: Version, event: str, content: str) -> None:
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    registry.keep(version, f"history/version-{version.number}/{time}-{event}.json", content)


def _outcome(decision: Decision) -> str:
    return "accepted" if decision.accepted else "refused"


def _pair(figure: Compared) -> str:
    """Return the champion's and the challenger's figure, as fractions."""
    sides = (figure.champion, figure.challenger)
    return " -> ".join("none" if side is None else f"{side:.4f}" for side in sides)


def _pairs(figures: Mapping[str, Compared]) -> str:
    return ", ".join(f"{name} {_pair(figure)}" for name, figure in figures.items()) or "none"

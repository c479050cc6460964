import json
from datetime import UTC, datetime
from pathlib import Path

from tests.training.registry.answer_sheets import val_split
from tests.training.registry.conftest import (
    Gate,
    Register,
    history,
    tags,
)
from training.evaluation.decision import in_a_sentence, read_decision
from training.experiment import GateRecipe
from training.export.provenance import split_fingerprint
from training.registry.promotion import (
    promote,
    roll_back,
)
from training.registry.versions import Registry


def test_decision_is_recorded_on_the_version(
    registry: Registry, register: Register, gate: Gate
) -> None:
    gate.crown(register(range(20)))
    new = register(range(5, 22))
    decision = gate.ask(new, GateRecipe(), val_split(dark=range(8)))
    assert {key: value for key, value in tags(registry, new).items() if "gate" in key} == {
        "gate": "refused",
        "gate_reasons": "It is not right more often: it gains 2 images and loses 5. Its recall "
        "of angry falls by 10.00 points, more than 5.00. Its accuracy on dark falls by 62.50 "
        "points, more than 3.00.",
        "gate_champion": "2026.11.24-00to20-int8",
        "gate_p_value": "0.937500",
        "gate_images": "2 gained, 5 lost",
        "gate_accuracy": "0.4444 -> 0.3778",
        "gate_recalls": "angry 0.5000 -> 0.4000, disgust 0.5000 -> 0.4500, fear 0.0000 -> 0.0000, "
        "happy 0.0000 -> 0.0000, sad 0.0000 -> 0.0000, surprise 0.0000 -> 0.0000, "
        "neutral 0.0000 -> 0.0000",
        "gate_slices": "dark 1.0000 -> 0.3750, blurred none -> none, rotated none -> none, "
        "small none -> none, no single face none -> none",
        "gate_worst_slice": "dark",
        "gate_recipe": '{"significance":0.05,"recall_margin":0.05,"slice_margin":0.03}',
        "gate_val": f"45 images, sha256:{split_fingerprint(val_split())}",
    }
    found = registry.tracker.client.get_model_version(registry.name, new.number)
    assert found.description == in_a_sentence(decision)
    assert decision.worst_slice == "dark"


def test_every_decision_and_promotion_is_kept_with_the_run(
    registry: Registry, register: Register, gate: Gate, tmp_path: Path
) -> None:
    gate.crown(register(range(20)))
    version = register(range(22))
    refused = gate.ask(version, GateRecipe())
    promote(registry, version, refused, reason="a test needs it")
    roll_back(registry, "it was a test")
    events = history(registry, version, tmp_path)
    assert [path.stem.partition("-")[2] for path in events] == [
        "refused", "promoted", "rolled-back",
    ]  # fmt: skip
    decision, promotion, rollback = (path.read_text(encoding="utf-8") for path in events)
    assert read_decision(decision) == refused
    assert json.loads(promotion)["forced"] == "a test needs it"
    told = json.loads(rollback)
    assert datetime.fromisoformat(told.pop("time")).tzinfo is UTC
    assert told == {"rolled_back": "it was a test", "champion": "1"}

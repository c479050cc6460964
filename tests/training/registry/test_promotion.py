import json
from pathlib import Path

import mlflow.artifacts
import pytest

from tests.training.registry.answer_sheets import offer, sheet, val_split
from tests.training.registry.conftest import (
    Gate,
    Register,
    number_of_champion,
    open_run,
    tags,
)
from training.errors import PromotionError, RegistryError
from training.evaluation.decision import in_a_sentence, read_decision
from training.experiment import GateRecipe
from training.export.provenance import split_fingerprint
from training.registry.promotion import (
    promote,
    roll_back,
    still_stands,
    version_to_promote,
)
from training.registry.versions import Registry


def test_first_challenger_has_to_be_better_than_the_built_in_model(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version = register(range(4))
    decision = gate.ask(version)
    assert decision.champion == "built-in"
    assert decision.reasons == (
        "It is not shown to be right more often: it gains 4 images and loses 0, p = 0.0625, above "
        "0.05.",
    )
    champion = registry.champion()
    assert champion is not None
    assert champion.model == "built-in"
    assert champion.precision == "fp32"


def test_built_in_model_is_registered_once(
    registry: Registry, register: Register, gate: Gate
) -> None:
    first, second = register(range(1)), register(range(2))
    assert gate.ask(first).champion == gate.ask(second).champion == "built-in"
    found = registry.tracker.client.search_model_versions(f"name = '{registry.name}'")
    assert len(found) == 3


def test_trial_is_champion_only_among_trials(
    registry: Registry, register: Register, gate: Gate
) -> None:
    trial = register(range(10), trial=16)
    decision = gate.ask(trial)
    assert decision.reasons == ("No champion yet.",)
    promote(registry, trial, decision)
    assert number_of_champion(registry) == trial.number
    assert gate.ask(register(range(8), trial=16)).champion == trial.model
    assert gate.ask(register(range(4))).champion == "built-in"
    assert number_of_champion(registry) != trial.number


def test_trial_is_refused_in_place_of_a_model_that_is_none(
    registry: Registry, register: Register, gate: Gate
) -> None:
    gate.crown(register(range(10)))
    decision = gate.ask(register(range(30), trial=16))
    assert decision.reasons == (
        "It is a trial: it learnt from a cut of the data, and is never served.",
    )


def test_better_challenger_becomes_champion_and_remembers_the_former(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old = register(range(20))
    gate.crown(old)
    new = register(range(30))
    decision = gate.ask(new)
    promote(registry, new, decision)
    assert (decision.gained, decision.lost) == (10, 0)
    assert number_of_champion(registry) == new.number
    assert tags(registry, new)["former_champion"] == old.number
    assert "forced" not in tags(registry, new)


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
        "gate_accuracy": "0.5000 -> 0.4250",
        "gate_recalls": "angry 0.5000 -> 0.4000, disgust 0.5000 -> 0.4500, fear none -> none, "
        "happy none -> none, sad none -> none, surprise none -> none, neutral none -> none",
        "gate_slices": "dark 1.0000 -> 0.3750, blurred none -> none, rotated none -> none, "
        "small none -> none, no single face none -> none",
        "gate_worst_slice": "dark",
        "gate_recipe": '{"significance":0.05,"recall_margin":0.05,"slice_margin":0.03}',
        "gate_val": f"40 images, sha256:{split_fingerprint(val_split())}",
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
    folder = Path(
        mlflow.artifacts.download_artifacts(
            run_id=version.run_id,
            artifact_path=f"history/version-{version.number}",
            dst_path=str(tmp_path),
            tracking_uri=registry.tracker.uri,
        )
    )
    events = sorted(folder.iterdir())
    assert [path.stem.partition("-")[2] for path in events] == [
        "refused", "promoted", "rolled-back",
    ]  # fmt: skip
    decision, promotion, rollback = (path.read_text(encoding="utf-8") for path in events)
    assert read_decision(decision) == refused
    assert json.loads(promotion)["forced"] == "a test needs it"
    assert json.loads(rollback) == {"rolled_back": "it was a test"}


def test_refused_challenger_is_not_promoted(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old = register(range(20))
    gate.crown(old)
    new = register(range(21))
    with pytest.raises(PromotionError, match=r"Refused against .*: It is not shown to be right"):
        promote(registry, new, gate.ask(new))
    assert number_of_champion(registry) == old.number


@pytest.mark.parametrize("reason", [None, "", "  \n"])
def test_force_needs_a_reason(
    registry: Registry, register: Register, gate: Gate, reason: str | None
) -> None:
    gate.crown(register(range(20)))
    new = register(range(10))
    with pytest.raises(PromotionError, match="give --force and a --reason"):
        promote(registry, new, gate.ask(new), reason=reason)


def test_forced_promotion_records_its_reason_beside_the_refusal(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old = register(range(20))
    gate.crown(old)
    new = register(range(10))
    promote(registry, new, gate.ask(new), reason=" the data of the other was withdrawn ")
    assert number_of_champion(registry) == new.number
    known = tags(registry, new)
    assert known["forced"] == "the data of the other was withdrawn"
    assert known["gate"] == "refused"
    assert known["former_champion"] == old.number


def test_reason_is_not_recorded_where_none_was_needed(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version = register(range(10))
    promote(registry, version, gate.ask(version), reason="in a hurry")
    assert "forced" not in tags(registry, version)


def test_champions_own_file_under_another_number_is_refused(
    registry: Registry, register: Register, gate: Gate
) -> None:
    gate.crown(register(range(20)))
    again = register(range(20))
    decision = gate.ask(again)
    assert decision.reasons[0] == "It is the champion: both files have the same SHA-256."


def test_gate_leaves_the_champions_own_record_as_it_is(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version = register(range(20))
    gate.crown(version)
    assert not gate.ask(version).accepted
    assert tags(registry, version)["gate"] == "accepted"


def test_promotion_after_the_champion_changed_is_refused(
    registry: Registry, register: Register, gate: Gate
) -> None:
    gate.crown(register(range(10)))
    one, other = register(range(20)), register(range(30))
    decision = gate.ask(one)
    promote(registry, other, gate.ask(other))
    assert not still_stands(registry, one, decision)
    with pytest.raises(PromotionError, match="the champion has changed since"):
        promote(registry, one, decision)
    assert number_of_champion(registry) == other.number


def test_decision_without_a_champion_does_not_stand_once_there_is_one(
    registry: Registry, register: Register, gate: Gate
) -> None:
    one, other = register(range(20), trial=16), register(range(30), trial=16)
    decision = gate.ask(one)
    assert still_stands(registry, one, decision)
    assert not still_stands(registry, other, decision)
    promote(registry, other, gate.ask(other))
    assert not still_stands(registry, one, decision)


def test_promotion_may_be_repeated(registry: Registry, register: Register, gate: Gate) -> None:
    gate.crown(register(range(10)))
    version = register(range(20))
    decision = gate.ask(version)
    promote(registry, version, decision)
    known = tags(registry, version)
    promote(registry, version, decision)
    assert tags(registry, version) == known


def test_version_to_promote_is_the_challenger_unless_one_is_named(
    registry: Registry, register: Register, gate: Gate
) -> None:
    with pytest.raises(PromotionError, match="there is no challenger yet"):
        version_to_promote(registry, None)
    first, second = register(range(10)), register(range(20))
    assert version_to_promote(registry, None) == second
    assert version_to_promote(registry, int(first.number)) == first
    gate.crown(second)
    with pytest.raises(PromotionError, match="is the champion already"):
        version_to_promote(registry, None)


def test_registered_file_that_is_no_classifier_is_refused(
    registry: Registry, tmp_path: Path, gate: Gate
) -> None:
    candidate = offer(tmp_path, range(10), "new")
    candidate.model.write_bytes(sheet(range(10), "new", labels="happy,sad"))
    version = registry.register(candidate, open_run(registry).run_id)["int8"]
    with pytest.raises(RegistryError, match="answers in the order happy,sad"):
        gate.ask(version)

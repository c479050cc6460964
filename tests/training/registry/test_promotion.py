import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlflow.artifacts
import numpy as np
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
from training.registry.built_in import CLASSIFIER_PLACE
from training.registry.promotion import (
    promote,
    roll_back,
    still_stands,
    version_to_promote,
)
from training.registry.versions import Registry, Version


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


def test_built_in_models_becoming_champion_is_recorded(
    registry: Registry, register: Register, gate: Gate, tmp_path: Path
) -> None:
    gate.ask(register(range(4)))
    champion = registry.champion()
    assert champion is not None
    (event,) = history(registry, champion, tmp_path)
    told = json.loads(event.read_text(encoding="utf-8"))
    assert told["promoted"] == champion.tags["promoted"]
    assert told["why"] == "nobody was champion: services serve it"


def test_model_that_says_the_same_to_everything_is_refused_by_a_val_of_one_emotion(
    registry: Registry, register: Register, gate: Gate
) -> None:
    angry = val_split().select(slice(0, 40, 2))
    decision = gate.ask(register(range(0, 40, 2)), val=angry)
    assert decision.reasons == (
        "Val has no image of disgust, fear, happy, sad, surprise, neutral: it can't judge.",
    )


def test_champion_is_bound_to_the_val_that_judged_it(
    registry: Registry, register: Register, gate: Gate
) -> None:
    gate.crown(register(range(10)))
    other = val_split().select(slice(1, None))
    decision = gate.ask(register(range(30)), val=other)
    assert decision.reasons == (
        "Val is not the one that judged the champion: "
        f"44 images, sha256:{split_fingerprint(other)} now, "
        f"45 images, sha256:{split_fingerprint(val_split())} then.",
    )


def test_built_in_champion_is_bound_to_the_first_val_that_shows_every_emotion(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version = register(range(4))
    for val in (val_split().select(slice(0, 2)), val_split()):
        gate.ask(version, val=val)
    champion = registry.champion()
    assert champion is not None
    assert champion.tags["gate_val"] == f"45 images, sha256:{split_fingerprint(val_split())}"


def test_faces_are_judged_as_the_service_frames_them(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version, published = register(range(45)), val_split()
    # The table is asked about the row before, whose emotion is another one.
    framed = replace(published, aligned=np.roll(published.images, 1, axis=0))
    assert gate.ask(version, val=framed).accuracy.challenger == 0.0
    assert gate.ask(version, val=published).judges == gate.ask(version, val=framed).judges


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
        version_to_promote(registry, None, gate.built_in)
    first, second = register(range(10)), register(range(20))
    assert version_to_promote(registry, None, gate.built_in) == second
    assert version_to_promote(registry, int(first.number), gate.built_in) == first
    gate.crown(second)
    with pytest.raises(PromotionError, match="is the champion already"):
        version_to_promote(registry, None, gate.built_in)


def test_built_in_model_is_not_promoted_in_its_own_place(registry: Registry, gate: Gate) -> None:
    file = gate.built_in / CLASSIFIER_PLACE
    registry.register_file(file, "fp32", open_run(registry).run_id, {})
    with pytest.raises(PromotionError, match=r"version 1 \(built-in\) is the champion already"):
        version_to_promote(registry, 1, gate.built_in)
    assert number_of_champion(registry) == "1"


def history(registry: Registry, version: Version, folder: Path) -> list[Path]:
    """Download what is kept of a version, oldest first."""
    place = mlflow.artifacts.download_artifacts(
        run_id=version.run_id,
        artifact_path=f"history/version-{version.number}",
        dst_path=str(folder),
        tracking_uri=registry.tracker.uri,
    )
    return sorted(Path(place).iterdir())


def test_registered_file_that_is_no_classifier_is_refused(
    registry: Registry, tmp_path: Path, gate: Gate
) -> None:
    candidate = offer(tmp_path, range(10), "new")
    candidate.model.write_bytes(sheet(range(10), "new", labels="happy,sad"))
    version = registry.register(candidate, open_run(registry).run_id)["int8"]
    with pytest.raises(RegistryError, match="answers in the order happy,sad"):
        gate.ask(version)

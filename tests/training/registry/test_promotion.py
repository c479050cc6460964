from dataclasses import replace
from pathlib import Path

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
from training.export.provenance import split_fingerprint
from training.registry.promotion import (
    promote,
    roll_back,
    still_stands,
    version_to_promote,
)
from training.registry.versions import Registry


def test_model_that_says_the_same_to_everything_is_refused_by_a_val_of_one_emotion(
    registry: Registry, register: Register, gate: Gate
) -> None:
    angry = val_split().select(slice(0, 40, 2))
    decision = gate.ask(register(range(0, 40, 2)), val=angry)
    assert decision.reasons[0] == (
        "Val has no image of disgust, fear, happy, sad, surprise, neutral: it can't judge."
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


def test_refusal_by_another_val_leaves_the_val_that_binds_a_former_champion(
    registry: Registry, register: Register, gate: Gate
) -> None:
    former, bad = register(range(20)), register(range(5))
    gate.crown(former)
    gate.crown(bad)
    mine = val_split().select(slice(4, None))
    assert not gate.ask(former, val=mine).accepted
    roll_back(registry, "")
    assert number_of_champion(registry) == former.number
    assert tags(registry, former)["champion_val"] == str(gate.built_in.judges)
    assert not gate.ask(register(range(30)), val=mine).accepted


def test_faces_are_judged_as_the_service_frames_them(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version, published = register(range(45)), val_split()
    # The table is asked about the row before, whose emotion is another one.
    framed = replace(published, aligned=np.roll(published.images, 1, axis=0))
    assert gate.ask(version, val=framed).accuracy.challenger == 0.0
    assert gate.ask(version, val=published).judges == gate.ask(version, val=framed).judges


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


def test_refused_challenger_is_not_promoted(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old = register(range(20))
    gate.crown(old)
    new = register(range(21))
    with pytest.raises(PromotionError, match="is not promoted: the gate refused it"):
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


def test_registered_file_that_is_no_classifier_is_refused(
    registry: Registry, tmp_path: Path, gate: Gate
) -> None:
    candidate = offer(tmp_path, range(10), "new")
    candidate.model.write_bytes(sheet(range(10), "new", labels="happy,sad"))
    version = registry.register(candidate, open_run(registry).run_id)["int8"]
    with pytest.raises(RegistryError, match="answers in the order happy,sad"):
        gate.ask(version)

from datetime import UTC, datetime

import pytest

from emotion.contract import ROLLED_BACK_TAG
from tests.training.registry.conftest import Gate, Register, number_of_champion, tags
from training.errors import PromotionError
from training.registry.promotion import promote, roll_back
from training.registry.versions import Registry


def test_first_champion_that_is_better_can_be_rolled_back_to_the_built_in_model(
    registry: Registry, register: Register, gate: Gate
) -> None:
    version = register(range(10))
    promote(registry, version, gate.ask(version))
    assert number_of_champion(registry) == version.number
    promoted = datetime.fromisoformat(tags(registry, version)["promoted"])
    assert abs((datetime.now(UTC) - promoted).total_seconds()) < 60
    _, champion = roll_back(registry, "")
    assert champion.model == "built-in"
    with pytest.raises(PromotionError, match="no former champion to go back to"):
        roll_back(registry, "")


def test_rollback_puts_the_former_champion_back(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old, new = register(range(10)), register(range(20))
    gate.crown(old)
    gate.crown(new)
    left, champion = roll_back(registry, "calls every beard angry")
    assert (left.number, champion.number) == (new.number, old.number)
    assert number_of_champion(registry) == old.number
    # A service asks for this tag, and forgets what has it.
    assert tags(registry, new)[ROLLED_BACK_TAG] == "calls every beard angry"
    assert "former_champion" not in tags(registry, new)


def test_rollback_walks_back_promotion_by_promotion(
    registry: Registry, register: Register, gate: Gate
) -> None:
    versions = [register(range(10)), register(range(20)), register(range(30))]
    for version in versions:
        gate.crown(version)
    roll_back(registry, "")
    roll_back(registry, "")
    assert number_of_champion(registry) == versions[0].number
    assert tags(registry, versions[1])["rolled_back"] == "no reason given"


def test_rollback_that_was_cut_off_before_its_last_step_is_finished_and_no_second_one_done(
    registry: Registry, register: Register, gate: Gate
) -> None:
    versions = [register(range(10)), register(range(20)), register(range(30))]
    for version in versions:
        gate.crown(version)
    roll_back(registry, "")
    # As it was before the last step.
    registry.tag(versions[2], {"former_champion": versions[1].number})
    left, champion = roll_back(registry, "")
    assert (left.number, champion.number) == (versions[2].number, versions[1].number)
    assert "former_champion" not in tags(registry, versions[2])
    assert number_of_champion(registry) == versions[1].number


def test_version_that_is_rolled_back_to_is_withdrawn_no_more(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old, new = register(range(10)), register(range(20))
    gate.crown(old)
    registry.tag(old, {ROLLED_BACK_TAG: "cut off before the alias moved"})
    gate.crown(new)
    roll_back(registry, "")
    assert ROLLED_BACK_TAG not in tags(registry, old)


def test_rollback_without_a_champion_is_refused(registry: Registry, register: Register) -> None:
    with pytest.raises(PromotionError, match="there is no champion to roll back"):
        roll_back(registry, "")
    register(range(10))
    with pytest.raises(PromotionError, match="there is no champion to roll back"):
        roll_back(registry, "")


def test_version_that_was_rolled_back_may_become_champion_again(
    registry: Registry, register: Register, gate: Gate
) -> None:
    old, new = register(range(10)), register(range(20))
    gate.crown(old)
    gate.crown(new)
    roll_back(registry, "by mistake")
    gate.crown(registry.version(new.number))
    known = tags(registry, new)
    assert number_of_champion(registry) == new.number
    assert known["former_champion"] == old.number
    assert "rolled_back" not in known

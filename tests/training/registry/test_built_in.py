import json
from pathlib import Path

import pytest

from tests.training.registry.answer_sheets import val_split
from tests.training.registry.conftest import (
    Gate,
    Register,
    history,
    number_of_champion,
    open_run,
)
from training.errors import PromotionError
from training.export.provenance import split_fingerprint
from training.registry.built_in import CLASSIFIER_PLACE
from training.registry.promotion import (
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


def test_built_in_champion_is_bound_to_the_val_that_it_was_chosen_by(
    registry: Registry, register: Register, gate: Gate
) -> None:
    other = val_split().select(slice(5, None))
    decision = gate.ask(register(range(5, 45)), val=other)
    assert decision.reasons == (
        "Val is not the one that judged the champion: "
        f"40 images, sha256:{split_fingerprint(other)} now, {gate.built_in.judges} then.",
    )


def test_built_in_model_is_registered_once(
    registry: Registry, register: Register, gate: Gate
) -> None:
    first, second = register(range(1)), register(range(2))
    assert gate.ask(first).champion == gate.ask(second).champion == "built-in"
    found = registry.tracker.client.search_model_versions(f"name = '{registry.name}'")
    assert len(found) == 3


def test_built_in_model_is_not_promoted_in_its_own_place(registry: Registry, gate: Gate) -> None:
    file = gate.built_in.repository / CLASSIFIER_PLACE
    registry.register_file(file, "fp32", open_run(registry).run_id, {})
    with pytest.raises(PromotionError, match=r"version 1 \(built-in\) is the champion already"):
        version_to_promote(registry, 1, gate.built_in)
    assert number_of_champion(registry) == "1"

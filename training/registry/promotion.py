"""Who is champion: the gate asked, its answer recorded, the alias moved, and moved back.

Tags say what a version is now. What happened to it, decision by decision, is kept with its run:
``history/version-N/TIME-refused.json``, ``-accepted``, ``-promoted``, ``-rolled-back``.

A version that becomes champion carries the number of the one before it as the tag
``former_champion``: ``roll_back`` follows it, one promotion a call. Each step may be repeated
after a crash: tags are written before the alias moves, so at worst a version has a tag that the
next promotion writes anew.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from emotion.contract import CHAMPION
from training.data.dataset import Split
from training.errors import ModelFileError, PromotionError, RegistryError
from training.evaluation.decision import Compared, Decision, as_json, in_a_sentence
from training.evaluation.gate import Contender, judge
from training.evaluation.slices import slices_of
from training.experiment import GateRecipe
from training.export.onnx_classifier import OnnxClassifier
from training.export.provenance import split_fingerprint
from training.registry.built_in import champion_or_built_in
from training.registry.versions import Registry, Version

FORMER_TAG = "former_champion"
FORCED_TAG = "forced"
ROLLED_BACK_TAG = "rolled_back"
PROMOTED_TAG = "promoted"
GATE_TAG = "gate"

# MLflow servers before 2.16 take no longer tag.
_LONGEST_TAG = 5000


def version_to_promote(registry: Registry, number: int | None) -> Version:
    """Return a version by its number, or the challenger for None.

    Raises:
        PromotionError: nothing was registered yet, or it is the champion already.
        RegistryError: there is no such version, or MLflow doesn't answer.
    """
    version = registry.challenger() if number is None else registry.version(str(number))
    if version is None:
        raise PromotionError("there is no challenger yet. `register` a run, or give --version")
    champion = registry.champion()
    if champion is not None and champion.number == version.number:
        raise PromotionError(f"{version} is the champion already")
    return version


def decide(
    registry: Registry,
    challenger: Version,
    val: Split,
    recipe: GateRecipe,
    built_in: Path,
    threads: int,
) -> Decision:
    """Let the champion's and the challenger's files answer val, ask the gate, and record it.

    Where nobody is champion, or a trial is, the built-in model becomes champion first: the
    challenger has to be better than what is served. Only a trial may be champion of an empty
    registry without a comparison; services refuse it.

    Asked about the champion itself, it refuses, and leaves the champion's own record as it is.

    Args:
        registry: where both are.
        challenger: who wants to become champion.
        val: the images that decide; slices need their conditions.
        recipe: what the challenger must show.
        built_in: the model repository that comes with the project.
        threads: CPU threads for one operation.

    Raises:
        RegistryError: MLflow doesn't answer, or a file is not what was registered.
    """
    if challenger.trial is None:
        champion: Version | None = champion_or_built_in(registry, built_in)
    else:
        champion = registry.champion()
    decision = judge(
        _answering(registry, challenger, val, threads),
        None if champion is None else _answering(registry, champion, val, threads),
        val.labels,
        slices_of(val),
        recipe,
    )
    if champion is None or champion.number != challenger.number:
        _record(registry, challenger, decision, val)
    return decision


def still_stands(registry: Registry, version: Version, decision: Decision) -> bool:
    """Tell whether a decision is about this version and today's champion.

    It also stands once the version is champion: then it was carried out.
    """
    champion = registry.champion()
    if version.sha256 != decision.challenger_sha256:
        return False
    if champion is None:
        return decision.champion_sha256 is None
    return champion.number == version.number or champion.sha256 == decision.champion_sha256


def promote(
    registry: Registry, version: Version, decision: Decision, *, reason: str | None = None
) -> None:
    """Make a version champion, if the gate accepted it or somebody says why it should be.

    A version that is champion already stays it.

    Args:
        registry: where it is.
        version: who becomes champion.
        decision: of the gate, about this version and today's champion.
        reason: why it becomes champion although the gate refused it; recorded on the version.

    Raises:
        PromotionError: the gate refused it and no reason is given, or the champion is no more
            the one that the gate compared it with.
        RegistryError: MLflow doesn't answer.
    """
    if not decision.accepted and not (reason and reason.strip()):
        raise PromotionError(
            f"{version} is not promoted. {in_a_sentence(decision)} To promote it all the same, "
            "give --force and a --reason"
        )
    if not still_stands(registry, version, decision):
        raise PromotionError(
            f"{version} is not promoted: the champion has changed since the gate compared them. "
            "Run promote again"
        )
    champion = registry.champion()
    if champion is not None and champion.number == version.number:
        return
    tags = {PROMOTED_TAG: datetime.now(UTC).isoformat(timespec="seconds")}
    if champion is not None:
        tags[FORMER_TAG] = champion.number
    if not decision.accepted and reason:
        tags[FORCED_TAG] = reason.strip()[:_LONGEST_TAG]
    # What an earlier time as champion left.
    for key in {FORMER_TAG, FORCED_TAG, ROLLED_BACK_TAG} & version.tags.keys() - tags.keys():
        registry.untag(version, key)
    registry.tag(version, tags)
    registry.point(CHAMPION, version)
    _remember(registry, version, "promoted", json.dumps(tags, indent=2) + "\n")


def roll_back(registry: Registry, reason: str) -> tuple[Version, Version]:
    """Put the champion before this one back.

    Called again it goes back one more promotion, until there is no former champion left.

    Args:
        registry: where they are.
        reason: why; recorded on the version that is champion no more.

    Returns:
        The version that was champion, and the one that is now.

    Raises:
        PromotionError: there is no champion, or none before it.
        RegistryError: MLflow doesn't answer, or the former champion was deleted.
    """
    champion = registry.champion()
    if champion is None:
        raise PromotionError("there is no champion to roll back. `promote` makes one")
    number = champion.tags.get(FORMER_TAG)
    if number is None:
        raise PromotionError(
            f"{champion} has no former champion to go back to: it was the first one"
        )
    former = registry.version(number)
    tags = {ROLLED_BACK_TAG: reason.strip()[:_LONGEST_TAG] or "no reason given"}
    registry.tag(champion, tags)
    registry.point(CHAMPION, former)
    _remember(registry, champion, "rolled-back", json.dumps(tags, indent=2) + "\n")
    # Or two versions that followed each other twice would be each other's former champion.
    registry.untag(champion, FORMER_TAG)
    return champion, former


def _answering(registry: Registry, version: Version, val: Split, threads: int) -> Contender:
    try:
        classifier = OnnxClassifier(registry.content(version), threads)
    except ModelFileError as error:
        raise RegistryError(f"{registry.name} {version}: {error}") from error
    answers = classifier.answer_all(val.images)
    return Contender(version.model, version.sha256, answers, version.trial is not None)


def _record(registry: Registry, version: Version, decision: Decision, val: Split) -> None:
    outcome = "accepted" if decision.accepted else "refused"
    tags = {
        GATE_TAG: outcome,
        "gate_reasons": " ".join(decision.reasons)[:_LONGEST_TAG],
        "gate_champion": decision.champion or "none",
        "gate_p_value": "none" if decision.p_value is None else f"{decision.p_value:.6f}",
        "gate_images": f"{decision.gained} gained, {decision.lost} lost",
        "gate_accuracy": _pair(decision.accuracy),
        "gate_recalls": _pairs(decision.recall),
        "gate_slices": _pairs(decision.slices),
        "gate_worst_slice": decision.worst_slice or "none",
        "gate_recipe": decision.recipe.model_dump_json(),
        "gate_val": f"{len(val)} images, sha256:{split_fingerprint(val)}",
    }
    registry.tag(version, tags)
    registry.describe(version, in_a_sentence(decision))
    _remember(registry, version, outcome, as_json(decision))


def _remember(registry: Registry, version: Version, event: str, content: str) -> None:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    registry.keep(version, f"history/version-{version.number}/{now}-{event}.json", content)


def _pair(figure: Compared) -> str:
    """Return the champion's and the challenger's figure, as fractions."""
    sides = (figure.champion, figure.challenger)
    return " -> ".join("none" if side is None else f"{side:.4f}" for side in sides)


def _pairs(figures: Mapping[str, Compared]) -> str:
    return ", ".join(f"{name} {_pair(figure)}" for name, figure in figures.items()) or "none"

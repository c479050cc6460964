"""Who is champion: the gate asked, its answer recorded, the alias moved, and moved back.

A version that becomes champion carries the number of the one before it as the tag
``former_champion``: ``roll_back`` follows it, one promotion a call. It also carries as
``champion_val`` which val judged it: that val judges whoever wants its place. Each step may be
repeated after a crash: tags and history are written before the alias moves, so at worst a version
has a tag that the next promotion writes anew, and a rollback that was cut off is finished first.
"""

from emotion.contract import CHAMPION, ROLLED_BACK_TAG
from training.data.dataset import Split, as_served
from training.errors import ModelFileError, PromotionError, RegistryError
from training.evaluation.decision import Decision, Judges
from training.evaluation.gate import Contender, Exam, judge
from training.evaluation.slices import slices_of
from training.experiment import GateRecipe
from training.export.onnx_classifier import OnnxClassifier
from training.export.provenance import split_fingerprint
from training.registry.built_in import JUDGES_TAG, BuiltIn, champion_or_built_in
from training.registry.history import (
    LONGEST_TAG,
    PROMOTED_TAG,
    now,
    record,
    remember,
    remember_decision,
)
from training.registry.versions import Registry, Version

FORMER_TAG = "former_champion"
FORCED_TAG = "forced"


def version_to_promote(registry: Registry, number: int | None, built_in: BuiltIn) -> Version:
    """Return a version by its number, or the challenger for None.

    Args:
        registry: where it is.
        number: MLflow's.
        built_in: the model that comes with the project; see ``decide``.

    Raises:
        PromotionError: nothing was registered yet, or it is the champion already.
        RegistryError: there is no such version, or MLflow doesn't answer.
    """
    version = registry.challenger() if number is None else registry.version(str(number))
    if version is None:
        raise PromotionError("there is no challenger yet. `register` a run, or give --version")
    champion = _champion_for(registry, version, built_in)
    if champion is not None and champion.number == version.number:
        raise PromotionError(f"{version} is the champion already")
    return version


def decide(
    registry: Registry,
    challenger: Version,
    val: Split,
    recipe: GateRecipe,
    built_in: BuiltIn,
    threads: int,
) -> Decision:
    """Let the champion's and the challenger's files answer val, ask the gate, and record it.

    Both answer faces framed as the service frames them, whatever framing they learnt from.

    Where nobody is champion, or a trial is, the built-in model becomes champion first: the
    challenger has to be better than what is served. Only a trial may be champion of an empty
    registry without a comparison; services refuse it.

    Asked about the champion itself, it refuses, and leaves the champion's own record as it is.

    Args:
        registry: where both are.
        challenger: who wants to become champion.
        val: the images that decide, as published; slices need their conditions.
        recipe: what the challenger must show.
        built_in: the model that comes with the project.
        threads: CPU threads for one operation.

    Raises:
        RegistryError: MLflow doesn't answer, or a file is not what was registered.
    """
    champion = _champion_for(registry, challenger, built_in)
    exam = Exam(Judges(len(val), split_fingerprint(val)), val.labels, slices_of(val))
    decision = judge(
        _answering(registry, challenger, val, threads),
        None if champion is None else _answering(registry, champion, val, threads),
        exam,
        recipe,
    )
    if champion is not None and champion.number == challenger.number:
        remember_decision(registry, challenger, decision)
        return decision
    record(registry, challenger, decision)
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
            f"{version} is not promoted: the gate refused it. To promote it all the same, give "
            "--force and a --reason"
        )
    if not still_stands(registry, version, decision):
        raise PromotionError(
            f"{version} is not promoted: the champion has changed since the gate compared them. "
            "Run promote again"
        )
    champion = registry.champion()
    if champion is not None and champion.number == version.number:
        return
    tags = {PROMOTED_TAG: now(), JUDGES_TAG: str(decision.judges)}
    if champion is not None:
        tags[FORMER_TAG] = champion.number
    if not decision.accepted and reason:
        tags[FORCED_TAG] = reason.strip()[:LONGEST_TAG]
    # What an earlier time as champion left.
    for key in {FORMER_TAG, FORCED_TAG, ROLLED_BACK_TAG} & version.tags.keys() - tags.keys():
        registry.untag(version, key)
    registry.tag(version, tags)
    remember(registry, version, "promoted", tags)
    registry.point(CHAMPION, version)


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
    if (left := _left_unfinished(registry, champion)) is not None:
        registry.untag(left, FORMER_TAG)
        return left, champion
    number = champion.tags.get(FORMER_TAG)
    if number is None:
        raise PromotionError(
            f"{champion} has no former champion to go back to: it was the first one"
        )
    former = registry.version(number)
    tags = {ROLLED_BACK_TAG: reason.strip()[:LONGEST_TAG] or "no reason given"}
    registry.tag(champion, tags)
    remember(registry, champion, "rolled-back", {**tags, "champion": former.number})
    registry.point(CHAMPION, former)
    if ROLLED_BACK_TAG in former.tags:
        registry.untag(former, ROLLED_BACK_TAG)
    # Or two versions that followed each other twice would be each other's former champion.
    registry.untag(champion, FORMER_TAG)
    return champion, former


def _left_unfinished(registry: Registry, champion: Version) -> Version | None:
    """Return the version whose rollback to the champion was cut off before its last step."""
    followers = registry.tagged(FORMER_TAG, champion.number)
    return next((one for one in followers if ROLLED_BACK_TAG in one.tags), None)


def _champion_for(registry: Registry, challenger: Version, built_in: BuiltIn) -> Version | None:
    """Return whom a challenger is compared with; None where a trial is the first one."""
    if challenger.trial is None:
        return champion_or_built_in(registry, built_in)
    return registry.champion()


def _answering(registry: Registry, version: Version, val: Split, threads: int) -> Contender:
    try:
        classifier = OnnxClassifier(registry.content(version), threads)
        classifier.check_answers()
    except ModelFileError as error:
        raise RegistryError(f"{registry.name} {version}: {error}") from error
    answers = classifier.answer_all(as_served(val))
    return Contender(
        version.model,
        version.sha256,
        answers,
        is_trial=version.trial is not None,
        judged_by=version.tags.get(JUDGES_TAG),
    )

"""The built-in model as a version: what a registry's first champion has to be better than."""

from dataclasses import dataclass
from pathlib import Path

import onnx

from emotion.checksums import digest_of
from emotion.contract import CHAMPION, CLASSIFIER_NAME, MODEL_FILE
from training.evaluation.decision import Judges
from training.export.candidate import Precision
from training.export.onnx_classifier import open_classifier
from training.registry.history import PROMOTED_TAG, now, remember
from training.registry.versions import Registry, Version

# In a model repository of ours, which holds one version.
CLASSIFIER_PLACE = f"{CLASSIFIER_NAME}/1/{MODEL_FILE}"
_RUN = "built-in"
# The tag that binds a champion to a val; see ``training.registry.promotion``.
JUDGES_TAG = "champion_val"
# FER2013's val as its Parquet form has it: whatever is committed was chosen by it.
PUBLIC_TEST = Judges(3589, "4a6499f0297f3f3318c35aa7c490b90049a7383c04028ab3ddc528ed3e82eb84")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """The model that comes with the project.

    Attributes:
        repository: the model repository that it lies in.
        judges: the val that it was chosen by.
    """

    repository: Path
    judges: Judges = PUBLIC_TEST


def champion_or_built_in(registry: Registry, built_in: BuiltIn) -> Version:
    """Return the champion; where nobody is yet, or a trial, make it the built-in model.

    Services without a champion serve the built-in model, so nothing may take its place without
    being compared with it, and ``roll_back`` finds its way back to it.

    Args:
        registry: where the champion is, or will be.
        built_in: the model that comes with the project.

    Raises:
        ModelFileError: its classifier is missing, or none.
        RegistryError: MLflow doesn't answer.
    """
    champion = registry.champion()
    if champion is not None and champion.trial is None:
        return champion
    version = _registered(registry, built_in.repository / CLASSIFIER_PLACE)
    tags = {PROMOTED_TAG: now(), JUDGES_TAG: str(built_in.judges)}
    why = "nobody was champion" if champion is None else f"only {champion} was, a trial"
    registry.tag(version, tags)
    remember(registry, version, "promoted", {**tags, "why": f"{why}: services serve it"})
    registry.point(CHAMPION, version)
    return registry.version(version.number)


def _registered(registry: Registry, path: Path) -> Version:
    open_classifier(path, threads=1)
    content = path.read_bytes()
    known = registry.version_of(digest_of(content))
    if known is not None:
        return known
    run = registry.tracker.open_run(
        registry.name, _RUN, parameters={}, tags={"from": "model_repository"}
    )
    version = registry.register_file(path, _precision_of(content), run.run_id, {})
    run.close("FINISHED")
    return version


def _precision_of(content: bytes) -> Precision:
    nodes = onnx.load_from_string(content).graph.node
    return "int8" if any(node.op_type == "QuantizeLinear" for node in nodes) else "fp32"

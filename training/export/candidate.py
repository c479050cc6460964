"""A candidate: a trained network as the files that could be served, fp32 and int8.

fp32.onnx        calibrated on val, equal to the trained network
int8.onnx        quantised from it
candidate.json   what they are; written last, so that a folder with it is complete
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from emotion.checksums import digest_of
from training.data.dataset import Fer2013, Split, without_leaks
from training.errors import CandidateError
from training.experiment import QuantisationRecipe
from training.export.classifier import build_classifier
from training.export.onnx_classifier import OnnxClassifier
from training.export.quantisation import quantise
from training.whole_files import write_whole

Precision = Literal["fp32", "int8"]
_ACCOUNT = "candidate.json"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a run offers to be served.

    Attributes:
        version: of the fp32 model; the int8 one's has ``-int8`` after it.
        variants: precision to ONNX file.
        served: the precision to serve: int8 where it costs no more accuracy than allowed.
        figures: accuracies on val, as fractions: ``val_accuracy_fp32``, ``val_accuracy_int8``.
    """

    version: str
    variants: Mapping[Precision, Path]
    served: Precision
    figures: Mapping[str, float]

    @property
    def model(self) -> Path:
        """The file to serve."""
        return self.variants[self.served]


def package(
    weights: Path, data: Fer2013, recipe: QuantisationRecipe, folder: Path, *, threads: int = 1
) -> Candidate:
    """Make a candidate of a run's best weights, or return the one that was made of them before.

    Args:
        weights: a run's ``best.pt``.
        data: val calibrates and compares; training images set the ranges of int8.
        recipe: how many images do, and how much accuracy int8 may cost.
        folder: where the files go; made if absent.
        threads: CPU threads for one operation.

    Raises:
        ExportError: the exported model differs from the trained network.
    """
    made_of = {"weights": digest_of(weights.read_bytes()), "recipe": recipe.model_dump()}
    if _account_of(folder).get("made_of") == made_of:
        return read_candidate(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _ACCOUNT).unlink(missing_ok=True)
    models: dict[Precision, bytes] = {"fp32": build_classifier(weights, data)}
    models["int8"] = quantise(models["fp32"], _drawn(without_leaks(data), recipe.images).images)
    accuracy = {name: _accuracy(model, data.val, threads) for name, model in models.items()}
    for name, model in models.items():
        (folder / f"{name}.onnx").write_bytes(model)
    lost = accuracy["fp32"] - accuracy["int8"]
    account = {
        "version": OnnxClassifier(models["fp32"], threads).version,
        "served": "int8" if lost <= recipe.most_lost else "fp32",
        "figures": {f"val_accuracy_{name}": value for name, value in accuracy.items()},
        "made_of": made_of,
    }
    write_whole(folder / _ACCOUNT, json.dumps(account, indent=2) + "\n")
    return read_candidate(folder)


def read_candidate(folder: Path) -> Candidate:
    """Return the candidate that lies in a folder.

    Raises:
        CandidateError: there is none, or it is not complete.
    """
    account = _account_of(folder)
    if not account:
        raise CandidateError(
            f"{folder}: no complete candidate. `python -m training export --run` makes one"
        )
    variants: dict[Precision, Path] = {
        "fp32": folder / "fp32.onnx",
        "int8": folder / "int8.onnx",
    }
    return Candidate(account["version"], variants, account["served"], account["figures"])


def _account_of(folder: Path) -> dict[str, Any]:
    """Return what the folder's account says; nothing where there is none."""
    path = folder / _ACCOUNT
    account: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return account


def _drawn(split: Split, count: int) -> Split:
    """Return images drawn evenly over the split, the same ones each time."""
    rows = np.zeros(len(split), dtype=np.bool_)
    rows[np.random.default_rng(0).permutation(len(split))[:count]] = True
    return split.select(rows)


def _accuracy(model: bytes, split: Split, threads: int) -> float:
    probabilities = OnnxClassifier(model, threads).answer_all(split.images)
    return float(np.mean(probabilities.argmax(axis=1) == split.labels))

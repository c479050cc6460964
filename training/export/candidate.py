"""A candidate: a trained network as the files that could be served, fp32 and int8.

fp32.onnx        calibrated on val, equal to the trained network
int8.onnx        quantised from it
candidate.json   what they are, and their SHA-256; written last: a folder with it is complete
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from emotion.checksums import digest_of
from training.data.dataset import Fer2013, Split, without_leaks
from training.errors import CandidateError, ModelFileError
from training.experiment import QuantisationRecipe
from training.export.classifier import build_classifier
from training.export.onnx_classifier import OnnxClassifier, open_classifier
from training.export.provenance import data_fingerprint
from training.export.quantisation import quantise
from training.whole_files import write_whole, write_whole_bytes

Precision = Literal["fp32", "int8"]
_PRECISIONS: tuple[Precision, ...] = ("fp32", "int8")
_ACCOUNT = "candidate.json"
# Raise it when the same weights, data and recipe would give other files.
_FORM = 3
_ANEW = "`python -m training export --run` with the run's --data makes it anew"


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
    weights: Path,
    data: Fer2013,
    recipe: QuantisationRecipe,
    folder: Path,
    *,
    smoothing: float,
    threads: int = 1,
) -> Candidate:
    """Make a candidate of a run's best weights, or return the one that was made of them before.

    One that is damaged is made anew: its files depend on what is given here alone.

    Args:
        weights: a run's ``best.pt``.
        data: val calibrates and compares; training images set the ranges of int8.
        recipe: how many images do, and how much accuracy int8 may cost.
        folder: where the files go; made if absent.
        smoothing: ``Recipe.smoothing`` of the run.
        threads: CPU threads for one operation.

    Raises:
        CheckpointError: the weights are damaged. What was in the folder stays.
        ExportError: the exported model differs from the trained network.
    """
    made_of = {
        "form": _FORM,
        "weights": digest_of(weights.read_bytes()),
        "smoothing": smoothing,
        "recipe": recipe.model_dump(),
        "data": data_fingerprint(data),
    }
    made = _account_of(folder)
    if made is not None and made.made_of == made_of and not _damaged(folder, made):
        return _described(folder, made)
    models: dict[Precision, bytes] = {"fp32": build_classifier(weights, data, smoothing=smoothing)}
    models["int8"] = quantise(models["fp32"], _drawn(without_leaks(data), recipe.images).images)
    accuracy = {name: _accuracy(model, data.val, threads) for name, model in models.items()}
    lost = accuracy["fp32"] - accuracy["int8"]
    account = _Account(
        version=OnnxClassifier(models["fp32"], threads).version,
        served="int8" if lost <= recipe.most_lost else "fp32",
        figures={f"val_accuracy_{name}": value for name, value in accuracy.items()},
        sha256={name: digest_of(model) for name, model in models.items()},
        made_of=made_of,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _ACCOUNT).unlink(missing_ok=True)
    for name, model in models.items():
        write_whole_bytes(_file(folder, name), model)
    write_whole(folder / _ACCOUNT, account.model_dump_json(indent=2) + "\n")
    return _described(folder, account)


def read_candidate(folder: Path) -> Candidate:
    """Return the candidate that lies in a folder, once its files are proven.

    Raises:
        CandidateError: there is none, it is not complete, a file is not the one that was made, or
            is no emotion classifier.
    """
    account = _account_of(folder)
    is_there = (folder / _ACCOUNT).is_file()
    if is_there and (account is None or account.made_of.get("form") != _FORM):
        raise CandidateError(f"{folder / _ACCOUNT}: damaged, or of an older form. {_ANEW}")
    if account is None:
        raise CandidateError(
            f"{folder}: no complete candidate. `python -m training export --run` makes one"
        )
    if damaged := _damaged(folder, account):
        raise CandidateError(
            f"{damaged[0]}: missing, or not the file that {_ACCOUNT} tells of. {_ANEW}"
        )
    try:
        for precision in _PRECISIONS:
            open_classifier(_file(folder, precision), threads=1)
    except ModelFileError as error:
        raise CandidateError(f"{error}. {_ANEW}") from error
    return _described(folder, account)


class _Account(BaseModel):
    """The content of ``candidate.json``."""

    model_config = ConfigDict(frozen=True)

    version: str
    served: Precision
    figures: dict[str, float]
    sha256: dict[Precision, str]
    made_of: dict[str, Any]


def _account_of(folder: Path) -> _Account | None:
    """Return what the folder's account says; nothing where there is none, or half of one."""
    try:
        return _Account.model_validate_json((folder / _ACCOUNT).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _damaged(folder: Path, account: _Account) -> list[Path]:
    """Return the files that are not what the account tells of."""
    paths = {_file(folder, precision): account.sha256.get(precision) for precision in _PRECISIONS}
    return [
        path
        for path, digest in paths.items()
        if not path.is_file() or digest_of(path.read_bytes()) != digest
    ]


def _described(folder: Path, account: _Account) -> Candidate:
    variants = {precision: _file(folder, precision) for precision in _PRECISIONS}
    return Candidate(account.version, variants, account.served, account.figures)


def _file(folder: Path, precision: Precision) -> Path:
    return folder / f"{precision}.onnx"


def _drawn(split: Split, count: int) -> Split:
    """Return images drawn evenly over the split, the same ones each time."""
    rows = np.zeros(len(split), dtype=np.bool_)
    rows[np.random.default_rng(0).permutation(len(split))[:count]] = True
    return split.select(rows)


def _accuracy(model: bytes, split: Split, threads: int) -> float:
    probabilities = OnnxClassifier(model, threads).answer_all(split.images)
    return float(np.mean(probabilities.argmax(axis=1) == split.labels))

"""From a run's best weights to the served model: weights -> calibrate -> ONNX -> check; place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from torch import Tensor
from torch.onnx import ONNXProgram
from tqdm import tqdm

from emotion.checksums import read_checksums
from emotion.contract import (
    CLASSIFIER_INPUT,
    CLASSIFIER_NAME,
    CLASSIFIER_OUTPUT,
    LABELS_KEY,
    VERSION_KEY,
)
from emotion.labels import EMOTIONS
from emotion.preprocessing import CROP_SIDE
from training.data.dataset import Fer2013, Split
from training.errors import ExportError
from training.export.calibration import fit_temperature
from training.export.onnx_classifier import NAME_KEY, OnnxClassifier
from training.export.provenance import code_commit, data_fingerprint, model_version
from training.export.served_model import write_model
from training.export.triton_config import classifier_config
from training.fitting.checkpoint import load_network
from training.fitting.network import CalibratedClassifier, EmotionNetwork, unsmoothed

PARITY_TOLERANCE = 1e-4  # largest difference of a probability
_PARITY_BATCHES = (1, 7)
_BATCH = 256

# torch's exporter writes 18 and can't go lower. ONNX Runtime 1.19, the one inside Triton
# 24.10, reads opsets to 21 and files to IR version 10.
_OPSET = 18
_IR_VERSION = 10


def build_classifier(
    weights: Path, data: Fer2013, *, smoothing: float, tolerance: float = PARITY_TOLERANCE
) -> bytes:
    """Return trained weights as the content of the classifier's ONNX file, in fp32.

    Args:
        weights: a run's ``best.pt``.
        data: val calibrates; all of it is named in the model's metadata.
        smoothing: ``Recipe.smoothing`` of the run.
        tolerance: largest difference of a probability from the trained network's.

    Raises:
        ExportError: the model differs from the network.
    """
    network = load_network(weights)
    # Rounded, so that the last bits of a sum don't make another version.
    meant = unsmoothed(logits_of(network, data.val), smoothing).numpy()
    temperature = round(fit_temperature(meant, data.val.labels), 4)
    classifier = CalibratedClassifier(network, temperature, smoothing=smoothing).eval()
    trained = datetime.fromtimestamp(weights.stat().st_mtime, UTC).date()
    calibration = {"temperature": temperature, "smoothing": smoothing}
    version = model_version(network.state_dict(), calibration, trained)
    model = to_onnx(classifier, _metadata(version, calibration, data))
    check_parity(classifier, model, data.val, tolerance)
    return model


def place_classifier(model: bytes, repository: Path) -> Path:
    """Write a classifier into a model repository, with what is served beside it.

    Args:
        model: content of its ONNX file.
        repository: the model repository's folder; its README lists checksums.

    Returns:
        The path of the written ``model.onnx``.

    Raises:
        ExportError: the repository's README has no line for it. The model that was there stays.
        ModelFileError: it is no emotion classifier, or answers by no probabilities. The model
            that was there stays.
    """
    require_checksum_line(repository)
    classifier = OnnxClassifier(model, threads=1)
    classifier.check_answers()
    labels = "".join(f"{emotion}\n" for emotion in EMOTIONS)
    config = classifier_config(classifier.version)
    files = {"config.pbtxt": config, "labels.txt": labels}
    return write_model(repository, CLASSIFIER_NAME, model, files)


def logits_of(network: EmotionNetwork, split: Split) -> Tensor:
    """Return the network's logits, float32 [n, 7], for a split's images, with a progress bar."""
    starts = tqdm(range(0, len(split), _BATCH), desc=f"calibrating on {split.name}", unit="batch")
    batches = (torch.from_numpy(split.images[start : start + _BATCH]) for start in starts)
    with torch.inference_mode():
        return torch.cat([network(batch.unsqueeze(1).float()) for batch in batches])


def to_onnx(classifier: CalibratedClassifier, metadata: Mapping[str, str]) -> bytes:
    """Return the classifier as an ONNX file's content, for batches of any size.

    Args:
        classifier: in evaluation mode.
        metadata: the file's account of itself.
    """
    example = torch.zeros((2, 1, CROP_SIDE, CROP_SIDE), dtype=torch.uint8)
    exported = torch.onnx.export(
        classifier,
        (example,),
        input_names=[CLASSIFIER_INPUT],
        output_names=[CLASSIFIER_OUTPUT],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=_OPSET,
        dynamo=True,
        verbose=False,
    )
    # Only torch's former exporter, dynamo=False, returns None.
    model = cast("ONNXProgram", exported).model_proto
    model.ir_version = _IR_VERSION
    for node in model.graph.node:
        # The exporter's stack traces: paths of this machine.
        del node.metadata_props[:]
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def check_parity(
    classifier: CalibratedClassifier, model: bytes, split: Split, tolerance: float
) -> None:
    """Compare the exported model with the trained network on a split's first crops.

    Raises:
        ExportError: some probability differs by more than ``tolerance``.
    """
    exported = OnnxClassifier(model, threads=1)
    for count in _PARITY_BATCHES:
        crops = split.images[:count, np.newaxis]
        with torch.inference_mode():
            expected = classifier(torch.from_numpy(crops)).numpy()
        difference = float(np.abs(exported.answer(crops) - expected).max())
        if not difference <= tolerance:
            raise ExportError(
                f"the exported model differs from the trained network by {difference:.1e} "
                f"at batch {count}; at most {tolerance:.1e} is accepted"
            )


def require_checksum_line(repository: Path) -> None:
    """Refuse a wrong folder before minutes of work, not after.

    Raises:
        ExportError: the folder's README has no line for the classifier.
    """
    readme, place = repository / "README.md", f"{CLASSIFIER_NAME}/1/model.onnx"
    if not readme.is_file() or place not in read_checksums(readme.read_text(encoding="utf-8")):
        raise ExportError(f"{readme}: no checksum line for {place}")


def _metadata(version: str, calibration: Mapping[str, float], data: Fer2013) -> dict[str, str]:
    metadata = {
        NAME_KEY: CLASSIFIER_NAME,
        VERSION_KEY: version,
        LABELS_KEY: ",".join(EMOTIONS),
        **{name: str(value) for name, value in calibration.items()},
        "data": f"FER2013 sha256:{data_fingerprint(data)}",
    }
    commit = code_commit(Path(__file__).parent)
    return metadata if commit is None else {**metadata, "commit": commit}

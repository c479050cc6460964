"""Classifiers of a few kilobytes that look their answers up, and the images they answer.

An image's first pixel is its row; the model's table says which label it gives to which row.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotion.contract import CLASSIFIER_NAME, LABELS_KEY, VERSION_KEY
from emotion.labels import EMOTIONS
from training.data.dataset import Conditions, Split
from training.export.candidate import Candidate, Precision

# 40 rows of the first two emotions in turn, and one of each other emotion.
LABELS = np.array([*([0, 1] * 20), 2, 3, 4, 5, 6], dtype=np.int64)
ROWS = len(LABELS)


def sheet(
    right: Sequence[int],
    version: str,
    labels: str = ",".join(EMOTIONS),
    *,
    right_value: float = 1.0,
) -> bytes:
    """Return a model that is right on these rows and says the next emotion on all others.

    It is sure of all of them: 1.0, or ``right_value`` for a model that is broken.
    """
    answers = np.where(np.isin(np.arange(ROWS), right), LABELS, (LABELS + 1) % len(EMOTIONS))
    table = np.eye(len(EMOTIONS), dtype=np.float32)[answers]
    table[table == 1] = right_value
    constants: dict[str, npt.NDArray[np.generic]] = {
        "table": table,
        "zero": np.array(0, dtype=np.int64),
    }
    nodes = [
        helper.make_node("Flatten", ["crops"], ["pixels"], axis=1),
        helper.make_node("Gather", ["pixels", "zero"], ["first"], axis=1),
        helper.make_node("Cast", ["first"], ["row"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "row"], ["probabilities"], axis=0),
    ]
    graph = helper.make_graph(
        nodes,
        CLASSIFIER_NAME,
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", 1, 48, 48])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 7])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    account = {VERSION_KEY: version, LABELS_KEY: labels, "data": "drawn", "commit": "0" * 40}
    helper.set_model_props(model, account)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString()
    return content


def offer(
    folder: Path, right: Sequence[int], version: str, served: Precision = "int8"
) -> Candidate:
    """Return a candidate whose int8 file is right on these rows, its fp32 file everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fp32.onnx").write_bytes(sheet(range(ROWS), version))
    (folder / "int8.onnx").write_bytes(sheet(right, f"{version}-int8"))
    variants: dict[Precision, Path] = {"fp32": folder / "fp32.onnx", "int8": folder / "int8.onnx"}
    figures = {"val_accuracy_fp32": 1.0, "val_accuracy_int8": len(right) / ROWS}
    return Candidate(version, variants, served, figures)


def val_split(*, dark: Sequence[int] = ()) -> Split:
    """Return the images; the rows given are dark."""
    images = np.full((ROWS, 48, 48), 200, dtype=np.uint8)
    images[:, 0, 0] = np.arange(ROWS)
    brightness = np.where(np.isin(np.arange(ROWS), dark), 10, 200).astype(np.float32)
    ones = np.ones(ROWS, dtype=np.float32)
    points = np.zeros((ROWS, 5, 2), dtype=np.float32)
    points[:, 1] = 20
    pose = np.zeros((ROWS, 3), dtype=np.float32)
    taken = Conditions(brightness, ones, 1000 * ones, ones, points, pose)
    return Split("val", images, LABELS, conditions=taken)

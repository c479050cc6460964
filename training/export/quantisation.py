"""From fp32 to int8: weights per channel in seven bits, activations in eight by their ranges.

The first convolution and what comes after the last one stay in fp32: a thousandth of the work, and
a fifth of what rounding changed. A range is the mean over batches of the smallest and the largest
activation, so that one odd image hardly widens it.

The file says where to round (QuantizeLinear and DequantizeLinear around each operator), so one
file runs on ONNX Runtime, OpenVINO and Triton alike. Activations are unsigned and weights signed:
ONNX Runtime has fast kernels for that pair alone. On processors without VNNI (AMD's before Zen 4
among them) it adds two products of that pair in 16 bits, where two of eight bits overflow: accuracy
on val fell by 3.3 points. Weights of seven bits always fit (docs/decisions.md).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from emotion.contract import CLASSIFIER_INPUT, VERSION_KEY

# What a residual block is made of. Left out of it, Add would go back to fp32 in every block.
_OPERATORS = ["Add", "Conv", "Relu"]
_RANGES = {"CalibMovingAverage": True}  # Of batches that are read at once it takes the mean.
_BATCH = 64
_SUFFIX = "-int8"


def quantise(model: bytes, images: npt.NDArray[np.uint8]) -> bytes:
    """Return a classifier's int8 form; its version is the fp32 one's with ``-int8`` after it.

    Args:
        model: content of the fp32 ONNX file.
        images: uint8 [n, 48, 48], grey; the activations on them set the ranges. Training images,
            as the network meets them when it serves: not augmented.
    """
    with tempfile.TemporaryDirectory(prefix="rapt-") as folder:
        source, ready, target = (Path(folder) / name for name in ("fp32", "ready", "int8"))
        source.write_bytes(model)
        quant_pre_process(source, ready, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            ready,
            target,
            _Calibration(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=_OPERATORS,
            nodes_to_exclude=[_first_convolution(model)],
            extra_options=_RANGES,
        )
        quantised = onnx.load(target)
    original = onnx.load_from_string(model)
    quantised.ir_version = original.ir_version
    quantised.producer_name, quantised.producer_version = "", ""
    metadata = {entry.key: entry.value for entry in original.metadata_props}
    metadata[VERSION_KEY] += _SUFFIX
    onnx.helper.set_model_props(quantised, metadata)
    onnx.checker.check_model(quantised, full_check=True)
    return quantised.SerializeToString(deterministic=True)


def _first_convolution(model: bytes) -> str:
    nodes = onnx.load_from_string(model).graph.node
    return next(str(node.name) for node in nodes if node.op_type == "Conv")


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime has no types
    """Hands the images out, batch by batch, as ONNX Runtime's calibration asks for them."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self._batches: Iterator[npt.NDArray[np.uint8]] = iter(
            images[start : start + _BATCH, np.newaxis] for start in range(0, len(images), _BATCH)
        )

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {CLASSIFIER_INPUT: batch}

"""Opens a model file with ONNX Runtime, for those who look at what is served."""

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
)

from training.errors import ModelFileError


def open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """Open a model on the CPU.

    Args:
        model: content of the ONNX file.
        threads: CPU threads for one operation; never left to the runtime, which would take
            every core.

    Raises:
        ModelFileError: no ONNX that can be opened.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf) as error:
        raise ModelFileError(f"no model that ONNX Runtime can open: {error}") from error

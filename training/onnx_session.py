"""Opens a model file with ONNX Runtime, for those who look at what is served."""

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NotSupported

from training.errors import ModelFileError

# What a session raises whose model can't compute what it is given.
RUN_ERRORS = (Fail, InvalidArgument, NotSupported, RuntimeException)

# A UnicodeDecodeError stands for names, or for a message of its own, that a damaged file garbles.
_REFUSALS = (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NotSupported,
    RuntimeException,
    UnicodeDecodeError,
)


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
        # Its fallback tries the same provider again, and prints so to stdout.
        return onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], enable_fallback=False
        )
    except _REFUSALS as error:
        reason = " ".join(str(error).split())
        raise ModelFileError(f"no model that ONNX Runtime can open: {reason}") from error

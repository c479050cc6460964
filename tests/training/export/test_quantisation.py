import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from training.data.dataset import Fer2013
from training.export.candidate import Candidate
from training.export.onnx_classifier import OnnxClassifier
from training.export.quantisation import quantise

LAYER = "layer2.0.conv1.weight"


@pytest.fixture(scope="module")
def graph(candidate: Candidate) -> onnx.GraphProto:
    return onnx.load(candidate.variants["int8"]).graph


def test_weights_are_signed_bytes_and_activations_unsigned(graph: onnx.GraphProto) -> None:
    types = {one.name: one.data_type for one in graph.initializer}
    weights = {
        types[node.input[0]]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0].endswith("weight_quantized")
    }
    activations = {types[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"}
    assert weights == {TensorProto.INT8}
    assert activations == {TensorProto.UINT8}


def test_no_two_products_overflow_16_bits(graph: onnx.GraphProto) -> None:
    weights = [one for one in graph.initializer if one.name.endswith("weight_quantized")]
    assert len(weights) == 19  # all convolutions but the first
    largest = max(int(np.abs(numpy_helper.to_array(one).astype(int)).max()) for one in weights)
    assert 2 * 255 * largest <= np.iinfo(np.int16).max
    assert largest == 64


def test_weights_have_a_scale_a_channel(graph: onnx.GraphProto) -> None:
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    (scale,) = (
        node.input[1]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0].endswith(f"{LAYER}_quantized")
    )
    assert values[scale].shape == (128,)


def test_first_convolution_and_last_layer_stay_in_floats(graph: onnx.GraphProto) -> None:
    floats = {one.name for one in graph.initializer if one.data_type == TensorProto.FLOAT}
    weights = {name for name in floats if name.endswith(".weight")}
    assert weights == {"network.resnet.conv1.weight", "network.resnet.fc.1.weight"}


def test_ranges_are_means_over_batches(candidate: Candidate, drawn: Fer2013) -> None:
    fp32 = candidate.variants["fp32"].read_bytes()
    usual = np.tile(drawn.train.images[:8], (40, 1, 1))  # five batches
    odd = usual.copy()
    odd[-1] = np.random.default_rng(0).integers(0, 2, (48, 48), dtype=np.uint8) * 255
    ranges = [step_of_the_first(quantise(fp32, images)) for images in (usual, odd, odd[-1:])]
    assert ranges[1] == pytest.approx(ranges[0] + (ranges[2] - ranges[0]) / 5, rel=0.01)


def step_of_the_first(model: bytes) -> float:
    """Return what one step of the stem's answers is worth."""
    graph = onnx.load_from_string(model).graph
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    first = next(node for node in graph.node if node.op_type == "QuantizeLinear")
    return float(values[first.input[1]])


def test_normalisation_and_calibration_stay_in_floats(graph: onnx.GraphProto) -> None:
    rounded = {
        name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output
    }
    floats = [node for node in graph.node if node.op_type in ("Sub", "Softmax", "Log", "Div")]
    # Two normalise. Then come a softmax and the smoothing's share, the temperature and a softmax.
    in_order = " ".join(node.op_type for node in floats)
    assert in_order == "Sub Div Softmax Sub Log Div Softmax"
    logits = floats[2].input[0]
    assert not any(name in rounded for node in floats for name in node.input if name != logits)


def test_answers_are_close_to_those_of_fp32(candidate: Candidate, drawn: Fer2013) -> None:
    crops = drawn.test.images[:, np.newaxis]
    fp32, int8 = (
        OnnxClassifier(candidate.variants[name].read_bytes(), threads=1).answer(crops)
        for name in ("fp32", "int8")
    )
    np.testing.assert_allclose(int8, fp32, atol=0.05)
    np.testing.assert_allclose(int8.sum(axis=1), np.ones(len(crops)), atol=1e-6)


def test_version_says_that_it_is_int8(candidate: Candidate) -> None:
    served = OnnxClassifier(candidate.variants["int8"].read_bytes(), threads=1)
    assert served.version == f"{candidate.version}-int8"
    assert served.metadata["labels"] == "angry,disgust,fear,happy,sad,surprise,neutral"


def test_same_images_give_the_same_file(candidate: Candidate, drawn: Fer2013) -> None:
    fp32 = candidate.variants["fp32"].read_bytes()
    images = drawn.train.images[:8]
    assert quantise(fp32, images) == quantise(fp32, images)


def test_file_is_one_that_triton_24_10_reads(candidate: Candidate) -> None:
    model = onnx.load(candidate.variants["int8"])
    assert model.ir_version <= 10
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]

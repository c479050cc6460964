from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.precision import measure_speed, without_rounding
from training.export.onnx_classifier import OnnxClassifier
from training.export.quantisation import quantise


@pytest.fixture(scope="module")
def int8(model_repository: Path) -> bytes:
    """The committed classifier."""
    return (model_repository / "emotion_classifier" / "1" / "model.onnx").read_bytes()


@pytest.fixture(scope="module")
def fp32(int8: bytes) -> bytes:
    return without_rounding(int8)


@pytest.fixture(scope="module")
def crops() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(3).integers(0, 256, (16, 1, 48, 48), dtype=np.uint8)


def test_form_without_rounding_has_none_left(fp32: bytes) -> None:
    kinds = {node.op_type for node in onnx.load_from_string(fp32).graph.node}
    assert not kinds & {"QuantizeLinear", "DequantizeLinear"}
    assert {"Conv", "Relu", "Add", "Gemm", "Softmax"} <= kinds


def test_form_without_rounding_answers_nearly_the_same(
    int8: bytes, fp32: bytes, crops: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    rounded, exact = (OnnxClassifier(one, threads=1).answer(crops) for one in (int8, fp32))
    np.testing.assert_allclose(rounded, exact, atol=0.1)
    assert np.abs(rounded - exact).max() > 0


def test_rounding_it_again_gives_nearly_the_same_answers(
    int8: bytes, fp32: bytes, crops: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    again = quantise(fp32, crops[:, 0])
    first, second = (OnnxClassifier(one, threads=1).answer(crops) for one in (int8, again))
    np.testing.assert_allclose(second, first, atol=0.1)


def test_file_that_is_not_int8_is_refused(fp32: bytes) -> None:
    with pytest.raises(ValueError, match="it is not int8"):
        without_rounding(fp32)


def test_speed_is_in_images_per_second_of_both(int8: bytes, fp32: bytes) -> None:
    speed = measure_speed(OnnxClassifier(fp32, threads=1), OnnxClassifier(int8, threads=1), 8)
    assert speed.batch == 8
    assert speed.fp32 > 1
    assert speed.ratio == pytest.approx(speed.int8 / speed.fp32)

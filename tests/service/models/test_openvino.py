from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from emotion.contract import DETECTOR_NAME
from emotion.detection import DetectionSettings, detect
from emotion.errors import ContractMismatch
from emotion.faces import Box
from service.models.openvino import OpenVinoFaceNetwork, Precision
from service.settings import BUILT_IN_MODELS
from tests.pictures import astronaut
from tests.service.tiny_models import TinyRepository, classifier, detector

PRECISIONS: tuple[Precision, ...] = ("f32", "auto")
BLACK = np.zeros((1, 8, 8, 3), dtype=np.uint8)


def test_a_detector_gives_its_three_tensors_in_order(tiny: TinyRepository) -> None:
    tensors = OpenVinoFaceNetwork(tiny.write())(BLACK)
    assert [tensor.shape for tensor in tensors] == [(1, 1, 4), (1, 1), (1, 1, 10)]


@pytest.mark.parametrize(
    "model", [detector(input_name="pixels"), detector(input_type=TensorProto.FLOAT), classifier()]
)
def test_a_detector_with_other_tensors_is_refused(
    model: onnx.ModelProto, tiny: TinyRepository
) -> None:
    tiny.set_model(DETECTOR_NAME, model)
    with pytest.raises(ContractMismatch, match=r"face_detector: takes .* expected \['images'\]"):
        OpenVinoFaceNetwork(tiny.write())


def test_a_file_that_is_no_model_is_refused_in_one_line(tiny: TinyRepository) -> None:
    tiny.files[f"{DETECTOR_NAME}/1/model.onnx"] = b"not a model"
    with pytest.raises(ContractMismatch, match="face_detector: OpenVINO can't load it") as refusal:
        OpenVinoFaceNetwork(tiny.write())
    assert "\n" not in refusal.value.message


def test_the_built_in_detector_is_what_the_code_was_built_for() -> None:
    OpenVinoFaceNetwork(BUILT_IN_MODELS)


def test_calls_at_once_get_the_answers_of_calls_one_by_one() -> None:
    network = OpenVinoFaceNetwork(BUILT_IN_MODELS, "f32", parallel=2)
    draw = np.random.default_rng(0)
    images = [draw.integers(0, 256, (1, 64, side, 3), dtype=np.uint8) for side in range(64, 96, 4)]
    each = [network(image) for image in images]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(network, images))
    for one, other in zip(each, together, strict=True):
        for tensor, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(tensor, same)


def test_either_precision_finds_the_same_face() -> None:
    settings = DetectionSettings()
    exact, fast = (
        detect(astronaut(), OpenVinoFaceNetwork(BUILT_IN_MODELS, precision), settings)
        for precision in PRECISIONS
    )
    assert len(exact) == len(fast) == 1
    np.testing.assert_allclose(_corners(fast[0].box), _corners(exact[0].box), atol=2.0)


def _corners(box: Box) -> list[float]:
    return [box.x, box.y, box.x + box.width, box.y + box.height]

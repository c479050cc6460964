from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from emotion.contract import DETECTOR_INPUT, DETECTOR_OUTPUTS, VERSION_KEY
from emotion.detection import priors_of
from training.export.face_detector import export_face_detector


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = tmp_path_factory.mktemp("repository")
    line = f"{'0' * 64}  face_detector/1/model.onnx\n"
    (repository / "README.md").write_text(line, encoding="utf-8")
    return export_face_detector(repository)


@pytest.fixture(scope="module")
def session(detector: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(detector, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("height", "width"), [(64, 96), (100, 61)])
def test_photos_of_any_size_get_an_answer_a_prior(
    session: onnxruntime.InferenceSession, height: int, width: int
) -> None:
    photos = np.full((2, height, width, 3), 128, np.uint8)
    locations, scores, landmarks = session.run(list(DETECTOR_OUTPUTS), {DETECTOR_INPUT: photos})
    priors = len(priors_of(height, width))
    assert locations.shape == (2, priors, 4)
    assert scores.shape == (2, priors)
    assert landmarks.shape == (2, priors, 10)


def test_file_names_its_version(session: onnxruntime.InferenceSession) -> None:
    assert session.get_modelmeta().custom_metadata_map[VERSION_KEY] == "0.1.0"


def test_config_names_the_contracts_tensors(detector: Path) -> None:
    text = (detector.parents[1] / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert [tensor.name for tensor in config.input] == [DETECTOR_INPUT]
    assert [tensor.name for tensor in config.output] == list(DETECTOR_OUTPUTS)


def test_licence_lies_beside_the_model(detector: Path) -> None:
    assert "MIT" in (detector.parents[1] / "LICENSE").read_text(encoding="utf-8")

import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from emotion.checksums import read_checksums
from emotion.labels import EMOTIONS
from emotion.model_config import names_in
from training.data.dataset import Fer2013
from training.errors import ExportError
from training.export.calibration import fit_temperature
from training.export.classifier import (
    PARITY_TOLERANCE,
    build_classifier,
    check_parity,
    logits_of,
    place_classifier,
)
from training.export.onnx_classifier import OnnxClassifier, open_classifier
from training.fitting.checkpoint import best_weights, load_network
from training.fitting.network import CalibratedClassifier, EmotionNetwork, unsmoothed

MODEL = "emotion_classifier/1/model.onnx"


@pytest.fixture(scope="module")
def network(trained_run: Path) -> EmotionNetwork:
    return load_network(best_weights(trained_run))


@pytest.fixture(scope="module")
def served(exported: Path) -> OnnxClassifier:
    return open_classifier(exported / MODEL, threads=1)


@pytest.mark.parametrize("count", [1, 7, 14])
def test_served_model_gives_what_the_trained_network_gives(
    served: OnnxClassifier, network: EmotionNetwork, drawn: Fer2013, count: int
) -> None:
    crops = drawn.test.images[:count, np.newaxis]
    temperature, smoothing = (float(served.metadata[name]) for name in ("temperature", "smoothing"))
    classifier = CalibratedClassifier(network, temperature, smoothing=smoothing).eval()
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(served.answer(crops), expected, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_batch_may_have_any_size(served: OnnxClassifier, drawn: Fer2013, count: int) -> None:
    answer = served.answer(drawn.test.images[:count, np.newaxis])
    assert answer.shape == (count, 7)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer.sum(axis=1), np.ones(count), atol=1e-6)


def test_labels_file_has_the_order_of_the_labels(exported: Path) -> None:
    text = (exported / "emotion_classifier" / "labels.txt").read_text(encoding="utf-8")
    assert text.splitlines() == [emotion.value for emotion in EMOTIONS]


def test_config_says_what_the_file_takes_and_gives(exported: Path) -> None:
    text = (exported / "emotion_classifier" / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert (config.name, config.backend) == ("emotion_classifier", "onnxruntime")
    assert config.max_batch_size == 64
    (taken,), (given,) = config.input, config.output
    assert (taken.name, list(taken.dims)) == ("crops", [1, 48, 48])
    assert taken.data_type == model_config_pb2.TYPE_UINT8
    assert (given.name, list(given.dims)) == ("probabilities", [7])
    assert given.data_type == model_config_pb2.TYPE_FP32
    assert given.label_filename == "labels.txt"


def test_config_batches_warms_up_and_bounds_threads(exported: Path) -> None:
    text = (exported / "emotion_classifier" / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert config.HasField("dynamic_batching")
    assert config.version_policy.latest.num_versions == 1
    assert [group.kind for group in config.instance_group] == [
        model_config_pb2.ModelInstanceGroup.KIND_CPU
    ]
    parameters = {key: value.string_value for key, value in config.parameters.items()}
    assert parameters["intra_op_thread_count"] == parameters["inter_op_thread_count"] == "1"
    (warm_up,) = config.model_warmup
    assert list(warm_up.inputs["crops"].dims) == [1, 48, 48]


def test_config_names_the_version_of_the_file(exported: Path, served: OnnxClassifier) -> None:
    text = (exported / "emotion_classifier" / "config.pbtxt").read_text(encoding="utf-8")
    assert names_in(text) == {1: served.version}


def test_readme_lists_the_checksum_of_the_written_file(exported: Path) -> None:
    listed = read_checksums((exported / "README.md").read_text(encoding="utf-8"))
    assert listed[MODEL] == sha256((exported / MODEL).read_bytes()).hexdigest()
    assert listed["face_detector/1/model.onnx"] == "0" * 64


def test_metadata_names_model_labels_and_data(served: OnnxClassifier) -> None:
    metadata = served.metadata
    assert metadata["name"] == "emotion_classifier"
    assert metadata["labels"] == ",".join(EMOTIONS)
    assert metadata["data"].startswith("FER2013 sha256:")


def test_file_tells_nothing_of_the_machine_that_wrote_it(exported: Path) -> None:
    content = (exported / MODEL).read_bytes()
    assert str(Path.cwd()).encode() not in content
    assert b"network.py" not in content


def test_file_is_one_that_triton_24_10_reads(exported: Path) -> None:
    model = onnx.load(exported / MODEL)
    assert model.ir_version <= 10
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]


def test_version_is_the_day_the_weights_were_written_and_their_digest(
    served: OnnxClassifier, trained_run: Path, drawn: Fer2013, tmp_path: Path
) -> None:
    weights = tmp_path / "best.pt"
    weights.write_bytes(best_weights(trained_run).read_bytes())
    os.utime(weights, (1_700_000_000, 1_700_000_000))  # 2023-11-14 22:13:20 UTC
    model = build_classifier(weights, drawn, smoothing=0.1)
    _, digest = served.version.split("-")
    assert OnnxClassifier(model, threads=1).version == f"2023.11.14-{digest}"


def test_model_that_differs_from_the_network_is_refused(trained_run: Path, drawn: Fer2013) -> None:
    with pytest.raises(ExportError, match="differs from the trained network by"):
        build_classifier(best_weights(trained_run), drawn, smoothing=0.1, tolerance=-1.0)


def test_network_with_another_temperature_is_not_equal(
    exported: Path, network: EmotionNetwork, drawn: Fer2013
) -> None:
    model = (exported / MODEL).read_bytes()
    with pytest.raises(ExportError, match="at batch 1; at most"):
        check_parity(
            CalibratedClassifier(network, 5.0, smoothing=0.1), model, drawn.val, PARITY_TOLERANCE
        )


@pytest.mark.parametrize("readme", [None, "# Models\n"])
def test_repository_without_a_checksum_line_is_refused(tmp_path: Path, readme: str | None) -> None:
    if readme is not None:
        (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    with pytest.raises(ExportError, match=r"README\.md: no checksum line for emotion_classifier"):
        place_classifier(b"a model", tmp_path)


@pytest.mark.parametrize("smoothing", [0.0, 0.05])
def test_temperature_is_that_of_logits_without_smoothing(
    network: EmotionNetwork, trained_run: Path, drawn: Fer2013, smoothing: float
) -> None:
    model = build_classifier(best_weights(trained_run), drawn, smoothing=smoothing)
    meant = unsmoothed(logits_of(network, drawn.val), smoothing).numpy()
    metadata = OnnxClassifier(model, threads=1).metadata
    assert metadata["smoothing"] == str(smoothing)
    expected = fit_temperature(meant, drawn.val.labels)
    assert float(metadata["temperature"]) == pytest.approx(expected, abs=1e-4)


def test_logits_of_a_split_are_those_of_its_images(network: EmotionNetwork, drawn: Fer2013) -> None:
    logits = logits_of(network, drawn.val)
    with torch.inference_mode():
        one = network(torch.from_numpy(drawn.val.images[4:5]).unsqueeze(1).float())
    torch.testing.assert_close(logits[4:5], one, atol=1e-5, rtol=0)

"""What is committed is what the export writes."""

from pathlib import Path

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from training.export.onnx_classifier import open_classifier
from training.export.triton_config import DETECTOR_CONFIG, classifier_config


def config_of(repository: Path, model: str) -> str:
    return (repository / model / "config.pbtxt").read_text(encoding="utf-8")


def test_the_classifiers_configuration_is_the_exports_and_names_its_version(
    model_repository: Path,
) -> None:
    model = open_classifier(model_repository / CLASSIFIER_NAME / "1" / "model.onnx", threads=1)
    assert config_of(model_repository, CLASSIFIER_NAME) == classifier_config(model.version)


def test_the_detectors_configuration_is_the_exports(model_repository: Path) -> None:
    assert config_of(model_repository, DETECTOR_NAME) == DETECTOR_CONFIG

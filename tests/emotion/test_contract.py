"""The committed model files keep the contract."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from emotion.contract import (
    CLASSIFIER_INPUT,
    CLASSIFIER_NAME,
    CLASSIFIER_OUTPUT,
    DETECTOR_INPUT,
    DETECTOR_NAME,
    DETECTOR_OUTPUTS,
    VERSION_KEY,
)

Shape = list[int | str]


def tensors(values: list[onnx.ValueInfoProto]) -> dict[str, tuple[int, Shape]]:
    """Name to element type and shape; a dynamic axis is its name."""
    return {
        value.name: (
            value.type.tensor_type.elem_type,
            [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim],
        )
        for value in values
    }


def load(repository: Path, name: str) -> onnx.ModelProto:
    return onnx.load(repository / name / "1" / "model.onnx")


def test_detector_takes_photos_of_any_size(model_repository: Path) -> None:
    graph = load(model_repository, DETECTOR_NAME).graph
    assert tensors(list(graph.input)) == {
        DETECTOR_INPUT: (TensorProto.UINT8, ["batch", "height", "width", 3])
    }


def test_detector_gives_three_tensors_by_prior(model_repository: Path) -> None:
    outputs = tensors(list(load(model_repository, DETECTOR_NAME).graph.output))
    shapes: list[Shape] = [["batch", "priors", 4], ["batch", "priors"], ["batch", "priors", 10]]
    assert outputs == {
        name: (TensorProto.FLOAT, shape)
        for name, shape in zip(DETECTOR_OUTPUTS, shapes, strict=True)
    }


def test_classifier_takes_crops_and_gives_probabilities(model_repository: Path) -> None:
    graph = load(model_repository, CLASSIFIER_NAME).graph
    (taken,), (given,) = tensors(list(graph.input)).items(), tensors(list(graph.output)).items()
    assert taken[0] == CLASSIFIER_INPUT
    assert taken[1][0] == TensorProto.UINT8
    assert taken[1][1][1:] == [1, 48, 48]
    assert given[0] == CLASSIFIER_OUTPUT
    assert given[1][0] == TensorProto.FLOAT
    assert given[1][1][1:] == [7]


@pytest.mark.parametrize("name", [DETECTOR_NAME, CLASSIFIER_NAME])
def test_model_names_its_version(model_repository: Path, name: str) -> None:
    properties = {entry.key: entry.value for entry in load(model_repository, name).metadata_props}
    assert properties[VERSION_KEY]

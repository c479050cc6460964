"""Two classifiers that any answer tells apart, and a home that a server starts with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from emotion.contract import CLASSIFIER_NAME, VERSION_KEY
from service.models.installed import InstalledModels
from service.models.repository import read_model
from service.settings import BUILT_IN_MODELS


@dataclass(frozen=True)
class Classifiers:
    """The committed classifier, under other names and sure of itself to other degrees."""

    first: bytes
    second: bytes


def make_classifiers() -> Classifiers:
    content = read_model(BUILT_IN_MODELS, CLASSIFIER_NAME).content
    return Classifiers(_variant(content, "first", 1.0), _variant(content, "second", 3.0))


def place(home: Path, content: bytes, registry_version: str = "1") -> None:
    """Put a model where a pull would put it."""
    models = InstalledModels(home / "models", BUILT_IN_MODELS)
    with models.locked():
        models.place(content, registry_version)


def _variant(content: bytes, version: str, temperature: float) -> bytes:
    model = onnx.load_model_from_string(content)
    (scale,) = [one for one in model.graph.initializer if one.name == "temperature"]
    value = np.full_like(numpy_helper.to_array(scale), temperature)
    scale.CopyFrom(numpy_helper.from_array(value, scale.name))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {**facts, VERSION_KEY: version})
    return bytes(model.SerializeToString())

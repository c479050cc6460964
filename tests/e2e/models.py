"""Two classifiers that any answer tells apart, and servers that say which one answers."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from emotion.contract import CLASSIFIER_NAME, VERSION_KEY
from service.models.installed import InstalledModels
from service.models.onnx import named_version
from service.models.repository import configured_as, read_model
from service.settings import BUILT_IN_MODELS
from tests.e2e.servers import Server, rapt, until


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
    place_in(InstalledModels(home / "models", BUILT_IN_MODELS), content, registry_version)


def place_in(models: InstalledModels, content: bytes, registry_version: str = "1") -> None:
    """Put a model into a repository."""
    version = named_version(configured_as(BUILT_IN_MODELS, CLASSIFIER_NAME, content))
    with models.locked():
        models.place(content, version, registry_version)


def asking(url: str, topology: str, folder: Path) -> AbstractContextManager[Server]:
    """Run a server that asks a registry every second."""
    return rapt(topology, folder, MLFLOW_TRACKING_URI=url, RAPT_MODEL_POLL_SECONDS="1")


def readyz(server: Server) -> dict[str, Any]:
    """What it says, once it is ready: a stage that is slow for a moment is 503 for as long."""
    bodies: list[dict[str, Any]] = []

    def is_ready() -> bool:
        response = server.get("/readyz")
        assert response.status_code in (200, 503), response.text
        bodies.append(response.json())
        return response.status_code == 200

    until(is_ready, 10, server)
    return bodies[-1]


def version_of(server: Server) -> str:
    version: str = readyz(server)["model"]["version"]
    return version


def _variant(content: bytes, version: str, temperature: float) -> bytes:
    model = onnx.load_model_from_string(content)
    (scale,) = [one for one in model.graph.initializer if one.name == "temperature"]
    value = np.full_like(numpy_helper.to_array(scale), temperature)
    scale.CopyFrom(numpy_helper.from_array(value, scale.name))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {**facts, VERSION_KEY: version})
    return bytes(model.SerializeToString())

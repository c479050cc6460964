from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mlflow_server import MlflowServer
from tests.training.registry.answer_sheets import offer
from training.registry.tracking import TrackedRun, Tracker
from training.registry.versions import Registry, Version

# A version that is right on the rows given: the one to be served of a run of its own.
Register = Callable[[range], Version]


@pytest.fixture
def registry(mlflow: MlflowServer, request: pytest.FixtureRequest) -> Registry:
    """A registered model of the test's own."""
    return Registry(Tracker(mlflow.url), request.node.name.replace("[", "-").replace("]", ""))


@pytest.fixture
def run(registry: Registry) -> TrackedRun:
    return open_run(registry)


@pytest.fixture
def register(registry: Registry, tmp_path: Path) -> Register:
    def registered(right: range) -> Version:
        name = f"2026.11.24-{right.start:02}to{right.stop:02}"
        # Half of it is enough here, and takes half the time.
        whole = offer(tmp_path / name, right, name)
        candidate = replace(whole, variants={"int8": whole.variants["int8"]})
        return registry.register(candidate, open_run(registry).run_id)[candidate.served]

    return registered


def open_run(registry: Registry) -> TrackedRun:
    return registry.tracker.open_run("registry", "test", parameters={}, tags={})

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import mlflow.artifacts
import pytest

from emotion.contract import CLASSIFIER_NAME, MODEL_FILE
from tests.mlflow_server import MlflowServer
from tests.training.registry.answer_sheets import ROWS, offer, sheet, val_split
from training.data.dataset import Split
from training.evaluation.decision import Decision, Judges
from training.experiment import GateRecipe
from training.export.provenance import split_fingerprint
from training.registry.built_in import BuiltIn
from training.registry.promotion import decide, promote
from training.registry.tracking import TrackedRun, Tracker
from training.registry.versions import Registry, Version


class Register(Protocol):
    """Makes a version that is right on the rows given: the one to be served of its own run."""

    def __call__(self, right: range, *, trial: int | None = None) -> Version: ...


# The gate asked without margins: small tables fall by a lot.
LENIENT = GateRecipe.model_construct(significance=0.05, recall_margin=1.0, slice_margin=1.0)


@pytest.fixture
def registry(mlflow: MlflowServer, request: pytest.FixtureRequest) -> Registry:
    """A registered model of the test's own."""
    return Registry(Tracker(mlflow.url), request.node.name.replace("[", "-").replace("]", ""))


@pytest.fixture
def run(registry: Registry) -> TrackedRun:
    return open_run(registry)


@dataclass(frozen=True)
class Gate:
    """The gate of one registry, whose built-in model is right on nothing."""

    registry: Registry
    built_in: BuiltIn

    def ask(
        self, version: Version, recipe: GateRecipe = LENIENT, val: Split | None = None
    ) -> Decision:
        images = val or val_split()
        return decide(self.registry, version, images, recipe, self.built_in, threads=1)

    def crown(self, version: Version) -> None:
        promote(self.registry, version, self.ask(version), reason="a test needs it")


@pytest.fixture
def gate(registry: Registry, tmp_path: Path) -> Gate:
    folder = tmp_path / "built-in" / CLASSIFIER_NAME / "1"
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(sheet([], "built-in"))
    judges = Judges(ROWS, split_fingerprint(val_split()))
    return Gate(registry, BuiltIn(tmp_path / "built-in", judges))


@pytest.fixture
def register(registry: Registry, tmp_path: Path) -> Register:
    def registered(right: range, *, trial: int | None = None) -> Version:
        name = f"2026.11.24-{right.start:02}to{right.stop:02}"
        # Half of it is enough here, and takes half the time.
        whole = offer(tmp_path / name, right, name)
        candidate = replace(whole, variants={"int8": whole.variants["int8"]})
        return registry.register(candidate, open_run(registry).run_id, trial)[candidate.served]

    return registered


def open_run(registry: Registry) -> TrackedRun:
    return registry.tracker.open_run("registry", "test", parameters={}, tags={})


def number_of_champion(registry: Registry) -> str | None:
    champion = registry.champion()
    return None if champion is None else champion.number


def tags(registry: Registry, version: Version) -> dict[str, str]:
    return dict(registry.version(version.number).tags)


def history(registry: Registry, version: Version, folder: Path) -> list[Path]:
    """Download what is kept of a version, oldest first."""
    place = mlflow.artifacts.download_artifacts(
        run_id=version.run_id,
        artifact_path=f"history/version-{version.number}",
        dst_path=str(folder),
        tracking_uri=registry.tracker.uri,
    )
    return sorted(Path(place).iterdir())

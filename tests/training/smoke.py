"""The smoke pipeline, run twice against a fresh MLflow server."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emotion.checksums import digest_of
from tests.mlflow_server import MlflowServer, mlflow_server
from training.commands.main import main
from training.registry.tracking import Tracker
from training.registry.versions import Registry

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "training" / "configs" / "smoke.yaml"
MODEL = "export/trial_repository/emotion_classifier/1/model.onnx"


@dataclass(frozen=True)
class Ended:
    """A pipeline's end, and how the registry and the exported files were then."""

    result: Result
    cpu_seconds: float
    champion: str | None
    exported: str
    exported_at: int


@dataclass(frozen=True)
class Twice:
    home: Path
    registry: Registry
    first: Ended
    second: Ended


@pytest.fixture(scope="session")
def fresh_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """A server of its own: the registered model's name is fixed."""
    with mlflow_server(tmp_path_factory.mktemp("fresh-mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def twice(
    fresh_mlflow: MlflowServer, parquet_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Twice:
    home = tmp_path_factory.mktemp("home")
    registry = Registry(Tracker(fresh_mlflow.url))
    first, second = (run_smoke(home, registry, parquet_folder) for _ in range(2))
    return Twice(home, registry, first, second)


def call(*words: str | Path, home: Path, url: str) -> Result:
    environment = {"RAPT_HOME": str(home), "MLFLOW_TRACKING_URI": url}
    return CliRunner(env=environment).invoke(main, [str(word) for word in words])


def run_smoke(home: Path, registry: Registry, data: Path) -> Ended:
    words = ("pipeline", "--config", SMOKE, "--data", data, "--threads", "1")
    begun, begun_cpu = time.monotonic(), time.process_time()
    result = call(*words, home=home, url=registry.tracker.uri)
    cpu_seconds = time.process_time() - begun_cpu
    print(f"smoke pipeline: {time.monotonic() - begun:.1f} s, {cpu_seconds:.1f} s of CPU")  # noqa: T201
    assert result.exit_code == 0, result.output
    champion = registry.champion()
    number = None if champion is None else champion.number
    model = home / MODEL
    digest = digest_of(model.read_bytes())
    return Ended(result, cpu_seconds, number, digest, model.stat().st_mtime_ns)

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = sorted(
    f"benchmarks.{path.stem}"
    for path in (Path(__file__).parents[2] / "benchmarks").glob("[a-z]*.py")
)
VARIABLES = ("BENTOML_DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "ORT_DISABLE_TELEMETRY")


def run(code: str, folder: Path) -> None:
    """Run Python code in a process in which nobody has forbidden telemetry."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    # ONNX Runtime keeps silent in what looks like CI; nothing here may look like it.
    environment = {name: value for name, value in environment.items() if name != "CI"}
    subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", code], check=True, env={**environment, "TMPDIR": str(folder)}
    )


@pytest.mark.parametrize("module", ["service.models.onnx", *BENCHMARKS])
def test_onnx_runtime_does_not_start_its_telemetry(module: str, tmp_path: Path) -> None:
    run(f"import {module}", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bentoml_does_not_track_though_it_asked_before_we_were_loaded(tmp_path: Path) -> None:
    code = (
        "from bentoml._internal.utils.analytics import usage_stats;"
        "assert not usage_stats.do_not_track();"
        "import service;"
        "assert usage_stats.do_not_track()"
    )
    run(code, tmp_path)


def test_processes_that_are_started_are_told_too(tmp_path: Path) -> None:
    code = f"import service, os; assert all(name in os.environ for name in {VARIABLES})"
    run(code, tmp_path)

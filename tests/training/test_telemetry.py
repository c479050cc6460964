"""That no library underneath reports to its maker."""

import os

from mlflow.telemetry.utils import is_telemetry_disabled

import training


def test_telemetry_is_forbidden_when_the_package_is_imported() -> None:
    assert training.__doc__
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert is_telemetry_disabled()

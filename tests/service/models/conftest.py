import pytest

from tests.mlflow_server import MlflowServer
from tests.service.registry_models import TestRegistry


@pytest.fixture
def registry(mlflow: MlflowServer) -> TestRegistry:
    return TestRegistry(mlflow.url)

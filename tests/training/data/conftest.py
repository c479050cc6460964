"""The drawn data set as ``prepare`` leaves it."""

from pathlib import Path

import pytest

from training.data.prepare import prepare
from training.experiment import DataRecipe


@pytest.fixture(scope="session")
def prepared(
    parquet_folder: Path, model_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The drawn faces, prepared under a home of their own. Not to be written to."""
    home = tmp_path_factory.mktemp("home")
    return prepare(DataRecipe(source=str(parquet_folder)), home, 2, model_repository)

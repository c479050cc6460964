"""The drawn data set as ``prepare`` leaves it."""

from pathlib import Path

import numpy as np
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


@pytest.fixture(scope="session")
def slow_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 4 training, 150 val and 4 test images, each another noise."""
    path = tmp_path_factory.mktemp("slow") / "fer2013.csv"
    generator = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for usage, count in (("Training", 4), ("PublicTest", 150), ("PrivateTest", 4)):
        noise = generator.integers(0, 256, (count, 48 * 48))
        lines += [f"0,{' '.join(map(str, pixels))},{usage}" for pixels in noise]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.training.smoke import SMOKE
from training.commands.main import main

MODEL = "emotion_classifier/1/model.onnx"


def call(*words: str | Path, home: Path | None = None) -> Result:
    environment = {} if home is None else {"RAPT_HOME": str(home)}
    return CliRunner(env=environment).invoke(main, [str(word) for word in words])


@pytest.fixture(scope="session")
def home(parquet_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RAPT_HOME after a smoke training."""
    path = tmp_path_factory.mktemp("home")
    result = call("train", "--data", parquet_folder, "--config", SMOKE, "--threads", "1", home=path)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("epoch 1/1  16 px  loss ")
    return path

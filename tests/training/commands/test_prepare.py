import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from training.commands.main import main
from training.data.fer2013 import load_fer2013


def call(home: Path, *words: str | Path) -> Result:
    words = ("prepare", "--threads", "1", *words)
    return CliRunner(env={"RAPT_HOME": str(home)}).invoke(main, [str(word) for word in words])


def test_prepared_folder_is_printed_and_can_be_read(parquet_folder: Path, tmp_path: Path) -> None:
    result = call(tmp_path, "--data", parquet_folder)
    assert result.exit_code == 0, result.output
    folder = Path(result.stdout.strip())
    assert folder.parent == tmp_path / "data"
    assert load_fer2013(folder).train.aligned is not None
    again = call(tmp_path, "--data", parquet_folder)
    assert again.stdout == f"{folder}: prepared already\n"


def test_output_and_detector_may_be_chosen(parquet_folder: Path, tmp_path: Path) -> None:
    words = ("--data", parquet_folder, "--detector", "mtcnn", "--output", tmp_path / "here")
    result = call(tmp_path, *words)
    assert result.stdout == f"{tmp_path / 'here'}\n", result.output
    assert json.loads((tmp_path / "here" / "manifest.json").read_text())["detector"] == "mtcnn"


def test_experiment_names_source_and_detector(parquet_folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "trial.yaml"
    config.write_text(f"data: {{source: {parquet_folder}, detector: retinaface}}")
    result = call(tmp_path, "--config", config, "--output", tmp_path / "here")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "here" / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--data", "no-such-folder"), "no-such-folder: no FER2013 here"),
        (("--data", "ftp://host/data"), "ftp://host/data: give a local path, s3://BUCKET/PREFIX"),
        (("--config", "no-such-file.yaml"), "no-such-file.yaml: No such file"),
        (("--repository", "nowhere"), "nowhere/face_detector/1/model.onnx: No such file"),
    ],
)
def test_what_the_caller_can_mend_is_one_line_and_exit_code_1(
    words: tuple[str, ...], message: str, parquet_folder: Path, tmp_path: Path
) -> None:
    data = () if "--data" in words else ("--data", str(parquet_folder))
    result = call(tmp_path, *data, *words)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1


def test_help_shows_examples(tmp_path: Path) -> None:
    result = call(tmp_path, "--help")
    assert result.exit_code == 0
    assert "python -m training prepare --data s3://faces/fer2013 --detector mtcnn" in result.stdout

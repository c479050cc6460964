import shutil
from pathlib import Path

import pytest

from tests.training.commands.conftest import MODEL, call
from tests.training.smoke import ROOT, SMOKE
from training.export.onnx_classifier import open_classifier


def test_champion_is_exported_by_default_and_missed_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = call("export", home=tmp_path)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: there is no champion to export yet")


def test_trial_is_not_exported_into_the_projects_model_repository(
    home: Path, parquet_folder: Path
) -> None:
    words = ("export", "--run", home / "runs" / "smoke", "--data", parquet_folder)
    for repository in ((), ("--repository", ROOT / "model_repository" / ".." / "model_repository")):
        result = call(*words, *repository)
        assert result.exit_code == 1
        assert "it learnt from 16 images a split, and is never served. Give --repo" in result.stderr


def test_pipeline_writes_no_trial_into_the_projects_model_repository(tmp_path: Path) -> None:
    words = ("pipeline", "--config", SMOKE, "--repository", ROOT / "model_repository")
    result = call(*words, home=tmp_path / "home")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: a trial is not written into ")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("is_there", [True, False])
def test_repository_that_is_empty_or_not_there_begins_as_the_projects(
    home: Path, parquet_folder: Path, tmp_path: Path, *, is_there: bool
) -> None:
    if is_there:
        (tmp_path / "new").mkdir()
    words = ("export", "--run", home / "runs" / "smoke", "--data", parquet_folder)
    result = call(*words, "--threads", "1", "--repository", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'new' / MODEL}\n"
    assert "model, config.pbtxt, labels.txt and checksum are written" in result.stderr
    detector = Path("face_detector") / "1" / "model.onnx"
    copy, original = tmp_path / "new" / detector, ROOT / "model_repository" / detector
    assert copy.read_bytes() == original.read_bytes()


def test_repository_in_a_folder_that_is_not_there_is_refused(home: Path, tmp_path: Path) -> None:
    words = ("export", "--run", home / "runs" / "smoke")
    result = call(*words, "--repository", tmp_path / "no-such-folder" / "new")
    assert result.exit_code == 1
    assert "new: the folder that it would lie in is missing. Make that, or" in result.stderr


def test_run_of_another_hand_is_not_exported(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "runs" / "smoke" / "best.pt", tmp_path)
    result = call("export", "--run", tmp_path, "--repository", tmp_path / "new")
    assert result.exit_code == 1
    assert "recipe.yaml: missing. The folder holds no training run" in result.stderr
    assert not (tmp_path / "new").exists()


def run_with(home: Path, folder: Path, old: str, new: str) -> Path:
    """Copy the smoke run, with another line in its recipe."""
    run = Path(shutil.copytree(home / "runs" / "smoke", folder / "run"))
    recipe = run / "recipe.yaml"
    text = recipe.read_text(encoding="utf-8")
    assert old in text
    recipe.write_text(text.replace(old, new), encoding="utf-8")
    return run


def test_the_runs_own_smoothing_is_taken_off(
    home: Path, parquet_folder: Path, tmp_path: Path
) -> None:
    run = run_with(home, tmp_path, "label_smoothing: 0.1", "label_smoothing: 0.05")
    words = ("export", "--run", run, "--data", parquet_folder)
    result = call(*words, "--threads", "1", "--repository", tmp_path / "new")
    assert result.exit_code == 0, result.output
    written = open_classifier(tmp_path / "new" / MODEL, threads=1)
    assert written.metadata["smoothing"] == "0.05"


def test_run_of_a_network_that_can_not_be_served_is_refused(
    home: Path, parquet_folder: Path, tmp_path: Path
) -> None:
    run = run_with(home, tmp_path, "network: served", "network: fine")
    words = ("export", "--run", run, "--data", parquet_folder, "--repository", tmp_path / "new")
    result = call(*words)
    assert result.exit_code == 1
    assert "its network is too dear to be served. It can teach" in result.stderr


def test_run_is_calibrated_on_faces_framed_as_it_learned_them(
    home: Path, parquet_folder: Path, tmp_path: Path
) -> None:
    run = run_with(home, tmp_path, "framing: raw", "framing: aligned")
    words = ("export", "--run", run, "--data", parquet_folder, "--repository", tmp_path / "new")
    result = call(*words)
    assert result.exit_code == 1
    assert "no aligned images" in result.stderr
    result = call(*words, "--config", SMOKE)
    assert result.exit_code == 2
    assert "the run learned from aligned faces; --config says others" in result.stderr


@pytest.mark.parametrize("name", ["best.pt", "recipe.yaml"])
def test_run_that_was_damaged_is_not_exported(
    home: Path, parquet_folder: Path, tmp_path: Path, name: str
) -> None:
    run = shutil.copytree(home / "runs" / "smoke", tmp_path / "run")
    (run / name).write_bytes((run / name).read_bytes()[:-5])
    words = ("export", "--run", run, "--data", parquet_folder, "--repository", tmp_path / "new")
    result = call(*words)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: {run / name}: damaged")


def test_form_of_a_run_is_not_asked_of_the_champion(tmp_path: Path) -> None:
    result = call("export", "--precision", "int8", home=tmp_path)
    assert result.exit_code == 2
    assert "--precision int8 and --config go with --run" in result.stderr


def test_detector_is_exported(tmp_path: Path) -> None:
    place = "face_detector/1/model.onnx"
    (tmp_path / "README.md").write_text(f"{'0' * 64}  {place}\n", encoding="utf-8")
    result = call("export-detector", "--repository", tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / place).is_file()

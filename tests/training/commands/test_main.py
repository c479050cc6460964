import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, ECONNRESET, ENOSPC
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from emotion.labels import EMOTIONS
from tests.pictures import astronaut
from tests.training.commands.conftest import MODEL, call
from tests.training.smoke import ROOT, SMOKE
from training.commands.main import main


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no file beyond a size in bytes, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def model(home: Path, parquet_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke training's model, exported."""
    repository = tmp_path_factory.mktemp("repository")
    (repository / "README.md").write_text(f"{'0' * 64}  {MODEL}\n", encoding="utf-8")
    words = ("--run", home / "runs" / "smoke", "--data", parquet_folder, "--threads", "1")
    result = call("export", *words, "--repository", repository)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{repository / MODEL}\n"
    return repository / MODEL


def test_run_lives_in_rapt_home_under_the_recipes_name(home: Path) -> None:
    names = {path.name for path in (home / "runs" / "smoke").iterdir()}
    # Beside them lies what other tests export from the same run.
    assert {"checkpoint.pt", "best.pt", "recipe.yaml", "history.jsonl"} <= names


@pytest.mark.parametrize("split", ["test", "val"])
def test_evaluate_prints_one_json_object_as_its_last_line(
    model: Path, parquet_folder: Path, split: str
) -> None:
    result = call(
        "evaluate", "--model", model, "--data", parquet_folder, "--split", split, "--json"
    )
    assert result.exit_code == 0
    figures = json.loads(result.stdout.splitlines()[-1])
    assert list(figures) == [
        "accuracy", "accuracy_without_copies", "ferplus_accuracy", "macro_f1", "ece", "recall",
        "slices", "groups",
    ]  # fmt: skip
    assert list(figures["recall"]) == [emotion.value for emotion in EMOTIONS]
    assert 0 <= figures["accuracy"] <= 1


def test_evaluate_prints_a_table_with_its_counts(model: Path, parquet_folder: Path) -> None:
    result = call("evaluate", "--model", model, "--data", parquet_folder)
    assert result.exit_code == 0
    assert f"{model}, version " in result.stdout
    assert "14 images\n" in result.stdout
    assert "13 images that equal no training image" in result.stdout


def test_evaluate_prints_groups_of_people_where_a_file_names_them(
    model: Path, parquet_folder: Path, tmp_path: Path
) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("row,group\n0,a\n1,a\n2,b\n", encoding="utf-8")
    words = ("evaluate", "--model", model, "--data", parquet_folder, "--groups", groups)
    result = call(*words)
    assert result.exit_code == 0, result.output
    assert "\na           2" in result.stdout
    assert "no two groups have 30 images: too few to compare" in result.stdout


def test_second_training_into_the_same_folder_is_refused(home: Path, parquet_folder: Path) -> None:
    result = call("train", "--data", parquet_folder, "--config", SMOKE, home=home)
    assert result.exit_code == 1
    assert "holds a run. Give --resume to go on" in result.stderr


def test_resumed_finished_training_has_nothing_left_to_do(home: Path, parquet_folder: Path) -> None:
    result = call("train", "--data", parquet_folder, "--config", SMOKE, "--resume", home=home)
    assert result.exit_code == 0
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--data", "no-such-folder"), "no-such-folder: no FER2013 here"),
        (("train", "--config", "no-such-file.yaml"), "no-such-file.yaml: No such file"),
        (("train", "--device", "abacus"), "device abacus: not usable here"),
        (("export", "--run", "no-such-run"), "no-such-run/best.pt: missing. Train first"),
        (("evaluate", "--model", "no-such.onnx"), "no-such.onnx: No such file"),
    ],
)
def test_what_the_caller_can_mend_is_one_line_and_exit_code_1(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    result = call(*words, home=tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("prepare",), ("pipeline", "--config", SMOKE), ("promote",)])
def test_home_that_can_not_be_made_is_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    result = CliRunner(env={"RAPT_HOME": str(home)}).invoke(main, [str(word) for word in words])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: {home}/")
    assert "Not a directory" in result.stderr


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(EACCES, "Permission denied", "/data"), "/data: Permission denied. Choose"),
        (OSError(ENOSPC, "No space left on device"), "No space left on device. Free some"),
    ],
)
def test_what_the_disk_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: OSError, message: str
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr("training.registry.tracking.tracking_uri", refuse)
    result = CliRunner().invoke(main, ["rollback"])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {message}")


def test_training_that_the_disk_refuses_is_one_line_and_goes_on_afterwards(
    home: Path, parquet_folder: Path, tmp_path: Path
) -> None:
    words = ("train", "--data", parquet_folder, "--config", SMOKE, "--threads", "1")
    with largest_file(60 * 2**20):  # best.pt fits, checkpoint.pt does not
        refused = call(*words, home=tmp_path)
    run = tmp_path / "runs" / "smoke"
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1] == f"Error: {run}/checkpoint.pt: File too large"
    assert not (run / "checkpoint.pt.tmp").exists()

    resumed = call(*words, "--resume", home=tmp_path)
    assert resumed.exit_code == 0
    weights, expected = (
        torch.load(folder / "best.pt", weights_only=True)
        for folder in (run, home / "runs" / "smoke")
    )
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_run_whose_checkpoint_was_damaged_is_not_gone_on_with(
    home: Path, parquet_folder: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(home / "runs" / "smoke", tmp_path / "runs" / "smoke")
    path = run / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-5])
    words = ("train", "--data", parquet_folder, "--config", SMOKE, "--resume")
    result = call(*words, home=tmp_path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {path}: damaged. Bring it back from a copy, or delete {run} and train anew\n"
    )


def test_data_that_are_not_there_leave_no_run_behind(tmp_path: Path) -> None:
    assert call("train", "--data", tmp_path / "typo", home=tmp_path / "home").exit_code == 1
    assert not (tmp_path / "home").exists()


def test_what_is_no_error_of_a_disk_is_shown_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ConnectionResetError(ECONNRESET, "Connection reset by peer")

    monkeypatch.setattr("training.registry.tracking.tracking_uri", fail)
    assert isinstance(CliRunner().invoke(main, ["rollback"]).exception, ConnectionResetError)


@pytest.mark.parametrize("command", ["train", "evaluate", "export", "export-detector"])
def test_help_shows_an_example(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"\n      python -m training {command}" in result.stdout.replace("nice -n 19 ", "")


def test_help_does_not_import_torch() -> None:
    words = [sys.executable, "-X", "importtime", "-m", "training", "--help"]
    answer = subprocess.run(  # noqa: S603  # this very Python
        words, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("Usage: python -m training")
    modules = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines()}
    assert "training.commands.main" in modules
    assert not modules & {"torch", "onnx", "onnxruntime", "pyarrow", "cv2", "numpy"}


def test_measure_framing_prints_the_reference_points_of_real_faces(tmp_path: Path) -> None:
    face = cv2.cvtColor(astronaut()[40:250, 120:330], cv2.COLOR_RGB2GRAY)
    image = cv2.imencode(".png", cv2.resize(face, (48, 48)))[1].tobytes()
    for number, split in enumerate(("train", "val", "test")):
        for emotion in EMOTIONS:
            folder = tmp_path / split / emotion.value
            folder.mkdir(parents=True)
            # Val and test images differ from the training images, or they would be dropped.
            shade = np.full((48, 48), 10 * number + 1, dtype=np.uint8)
            content = image if split == "train" else cv2.imencode(".png", shade)[1].tobytes()
            (folder / "1.png").write_bytes(content)

    result = call("measure-framing", "--data", tmp_path, "--sample", "2")

    assert result.exit_code == 0, result.output
    assert "2 of 2 images (100.0%) show exactly one face" in result.stdout
    assert "REFERENCE_POINTS: Landmarks = (" in result.stdout


def test_measure_framing_says_when_there_is_no_face(parquet_folder: Path) -> None:
    result = call("measure-framing", "--data", parquet_folder, "--sample", "2")

    assert result.exit_code == 1
    assert "shows exactly one face" in result.stderr

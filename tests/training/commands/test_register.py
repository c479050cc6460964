import shutil
from pathlib import Path

import pytest

from tests.training.smoke import Twice, call
from training.export.candidate import Candidate
from training.registry.tracking import Tracker

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def folder(trained_run: Path, candidate: Candidate, tmp_path: Path) -> Path:
    """The folder of a run of ``train`` alone, with its exported files."""
    path = tmp_path / "by-hand"
    shutil.copytree(trained_run, path)
    shutil.copytree(candidate.model.parent, path / "candidate", dirs_exist_ok=True)
    return path


def test_run_of_train_alone_is_registered_once_with_its_curves(folder: Path, twice: Twice) -> None:
    tracker = twice.registry.tracker
    champion = twice.registry.champion()
    before = twice.registry.challenger()
    assert before is not None
    try:
        outputs = {
            call("register", "--run", folder, home=folder, url=tracker.uri).stdout for _ in "12"
        }
        challenger = twice.registry.challenger()
    finally:
        twice.registry.point("challenger", before)

    assert challenger is not None
    assert outputs == {
        f"fp32  version {int(challenger.number) - 1} ({challenger.model.removesuffix('-int8')})\n"
        f"int8  version {challenger.number} ({challenger.model})\n"
    }
    run = tracker.client.get_run(challenger.run_id)
    assert run.info.run_name == "by-hand/by-hand"
    assert run.info.status == "FINISHED"
    assert run.data.params["train.batch_size"] == "8"
    points = tracker.client.get_metric_history(challenger.run_id, "loss")
    assert sorted(point.step for point in points) == [1, 2]
    assert twice.registry.champion() == champion


def test_pipelines_folder_goes_on_with_the_pipelines_run(twice: Twice) -> None:
    folder = twice.home / "runs" / "smoke" / "002"
    result = call("register", "--run", folder, home=twice.home, url=twice.registry.tracker.uri)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("fp32  version 3 (")
    assert lines[1].startswith("int8  version 4 (")


def test_run_without_exported_files_is_refused(
    trained_run: Path, twice: Twice, tmp_path: Path
) -> None:
    url = twice.registry.tracker.uri
    result = call("register", "--run", trained_run, home=tmp_path, url=url)
    assert result.exit_code == 1
    assert "no complete candidate. `python -m training export --run` makes one" in result.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("recipe.yaml", "recipe.yaml: damaged: it is cut off. `python -m training train --resume"),
        ("pipeline.json", "pipeline.json: damaged. Bring it back from a copy, or delete"),
        ("history.jsonl", "history.jsonl: line 2 is damaged. Bring it back from a copy, or"),
        ("candidate/int8.onnx", "int8.onnx: missing, or not the file that candidate.json tells"),
        ("candidate/candidate.json", "candidate.json: damaged, or of an older form. `python -m"),
    ],
)
def test_run_that_was_damaged_is_refused_in_one_line(
    folder: Path, twice: Twice, name: str, message: str
) -> None:
    (folder / "pipeline.json").write_text('{"key": "a", "experiment": {}}', encoding="utf-8")
    content = (folder / name).read_bytes()
    # Of the history half a last line is no damage.
    (folder / name).write_bytes(content[:-3] + b"\n" if name == "history.jsonl" else content[:-3])
    before = twice.registry.challenger()
    result = call("register", "--run", folder, home=folder, url=twice.registry.tracker.uri)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert twice.registry.challenger() == before


def test_folder_without_a_training_run_is_refused(
    candidate: Candidate, twice: Twice, tmp_path: Path
) -> None:
    shutil.copytree(candidate.model.parent, tmp_path / "candidate")
    uri = Tracker(twice.registry.tracker.uri).uri
    result = call("register", "--run", tmp_path, home=tmp_path, url=uri)
    assert result.exit_code == 1
    assert "recipe.yaml: missing. The folder holds no training run" in result.stderr


def test_damaged_key_of_a_run_is_told_in_one_line(
    folder: Path, twice: Twice, tmp_path: Path
) -> None:
    (folder / "registered.json").write_text('{"ke', encoding="utf-8")
    url = twice.registry.tracker.uri
    result = call("register", "--run", folder, home=tmp_path, url=url)
    assert result.stderr == (
        f"Error: {folder}/registered.json: damaged. Delete it, and the run is registered once "
        "more\n"
    )

import json
import shutil
from pathlib import Path

import pytest

from emotion.checksums import digest_of
from training.data.dataset import Fer2013
from training.errors import CandidateError, CheckpointError
from training.experiment import QuantisationRecipe
from training.export.candidate import Candidate, package, read_candidate
from training.fitting.checkpoint import best_weights


def test_int8_is_served_where_it_loses_no_more_than_allowed(candidate: Candidate) -> None:
    assert candidate.served == "int8"
    assert candidate.model == candidate.variants["int8"]


def test_figures_are_accuracies_on_val(candidate: Candidate) -> None:
    assert set(candidate.figures) == {"val_accuracy_fp32", "val_accuracy_int8"}
    assert all(0 <= value <= 1 for value in candidate.figures.values())


def test_fp32_is_served_where_int8_loses_more(
    candidate: Candidate, tmp_path: Path, trained_run: Path, drawn: Fer2013
) -> None:
    # What int8 gained or lost on 14 drawn faces is some multiple of 1/14: never less than -1.
    folder = tmp_path / "candidate"
    recipe = QuantisationRecipe.model_construct(images=16, most_lost=-1.5)
    made = package(best_weights(trained_run), drawn, recipe, folder, smoothing=0.1)
    assert made.served == "fp32"
    assert made.model.read_bytes() == candidate.variants["fp32"].read_bytes()


def test_candidate_of_the_same_weights_is_not_made_again(
    candidate: Candidate, trained_run: Path, drawn: Fer2013, tmp_path: Path
) -> None:
    weights = best_weights(trained_run)
    recipe = QuantisationRecipe(images=16, most_lost=1.0)
    folder = candidate.model.parent
    before = candidate.model.stat().st_mtime_ns
    assert (
        package(weights, drawn, recipe, folder, smoothing=0.1)
        == candidate
        == read_candidate(folder)
    )
    assert candidate.model.stat().st_mtime_ns == before


@pytest.mark.parametrize("what", ["weights", "data", "smoothing", "form"])
def test_candidate_that_was_made_of_something_else_is_replaced(
    candidate: Candidate, trained_run: Path, drawn: Fer2013, tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "candidate"
    folder.mkdir()
    account = json.loads((candidate.model.parent / "candidate.json").read_text(encoding="utf-8"))
    account["made_of"][what] = "others"
    (folder / "candidate.json").write_text(json.dumps(account), encoding="utf-8")
    recipe = QuantisationRecipe(images=16, most_lost=1.0)
    made = package(best_weights(trained_run), drawn, recipe, folder, smoothing=0.1)
    assert made.model.read_bytes() == candidate.model.read_bytes()


def test_folder_without_its_account_is_no_candidate(candidate: Candidate, tmp_path: Path) -> None:
    (tmp_path / "fp32.onnx").write_bytes(candidate.variants["fp32"].read_bytes())
    with pytest.raises(CandidateError, match="no complete candidate"):
        read_candidate(tmp_path)


def test_account_is_json_for_people(candidate: Candidate) -> None:
    account = json.loads((candidate.model.parent / "candidate.json").read_text(encoding="utf-8"))
    assert account["version"] == candidate.version
    assert account["served"] == "int8"


@pytest.fixture
def copied(candidate: Candidate, tmp_path: Path) -> Path:
    """The candidate's folder, to be damaged."""
    return Path(shutil.copytree(candidate.model.parent, tmp_path / "candidate"))


@pytest.mark.parametrize("name", ["int8.onnx", "fp32.onnx"])
def test_file_that_is_not_the_one_that_was_made_is_refused(copied: Path, name: str) -> None:
    content = (copied / name).read_bytes()
    for damaged in (content[:-1], b"", bytes([content[0] ^ 1]) + content[1:]):
        (copied / name).write_bytes(damaged)
        with pytest.raises(CandidateError, match=rf"{name}: missing, or not the file that "):
            read_candidate(copied)
    (copied / name).unlink()
    with pytest.raises(
        CandidateError, match=rf"{name}: missing, or not .*`.* export --run` with the run's"
    ):
        read_candidate(copied)


def test_account_that_was_cut_off_is_refused(copied: Path) -> None:
    account = (copied / "candidate.json").read_bytes()
    (copied / "candidate.json").write_bytes(account[:-10])
    with pytest.raises(CandidateError, match=r"candidate\.json: damaged, or of an older form\. "):
        read_candidate(copied)


def test_candidate_of_an_older_form_is_refused(copied: Path) -> None:
    account = json.loads((copied / "candidate.json").read_text(encoding="utf-8"))
    del account["made_of"]["form"]
    (copied / "candidate.json").write_text(json.dumps(account), encoding="utf-8")
    with pytest.raises(CandidateError, match=r"or of an older form\. .* makes it anew"):
        read_candidate(copied)


def test_file_that_is_no_classifier_is_refused_whatever_the_account_says(copied: Path) -> None:
    (copied / "int8.onnx").write_bytes(b"no model")
    account = json.loads((copied / "candidate.json").read_text(encoding="utf-8"))
    account["sha256"]["int8"] = digest_of(b"no model")
    (copied / "candidate.json").write_text(json.dumps(account), encoding="utf-8")
    with pytest.raises(CandidateError, match=r"int8\.onnx: no model that ONNX Runtime can open"):
        read_candidate(copied)


def test_damaged_candidate_is_made_anew(
    copied: Path, candidate: Candidate, trained_run: Path, drawn: Fer2013
) -> None:
    (copied / "int8.onnx").write_bytes(b"half")
    recipe = QuantisationRecipe(images=16, most_lost=1.0)
    made = package(best_weights(trained_run), drawn, recipe, copied, smoothing=0.1)
    assert made == read_candidate(copied)
    assert made.model.read_bytes() == candidate.model.read_bytes()


def test_damaged_weights_leave_the_former_candidate(
    copied: Path, trained_run: Path, drawn: Fer2013, tmp_path: Path
) -> None:
    weights = tmp_path / "best.pt"
    weights.write_bytes(best_weights(trained_run).read_bytes()[:-100])
    recipe = QuantisationRecipe(images=16, most_lost=1.0)
    with pytest.raises(CheckpointError, match=r"best\.pt: damaged"):
        package(weights, drawn, recipe, copied, smoothing=0.1)
    assert read_candidate(copied).served == "int8"

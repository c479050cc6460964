import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
import torch

from training.data.dataset import Fer2013
from training.export.provenance import code_commit, data_fingerprint, model_version

DAY = date(2026, 11, 24)
WEIGHTS = {"a": torch.ones(2, 3), "b": torch.zeros(4)}
AS_FITTED = {"temperature": 1.25, "smoothing": 0.1}


def test_version_is_the_day_and_eight_digits_of_the_weights() -> None:
    day, digits = model_version(WEIGHTS, AS_FITTED, DAY).split("-")
    assert day == "2026.11.24"
    assert len(digits) == 8
    assert set(digits) <= set("0123456789abcdef")


def test_equal_weights_give_an_equal_version() -> None:
    copy = {name: WEIGHTS[name].clone() for name in reversed(WEIGHTS)}
    assert model_version(copy, AS_FITTED, DAY) == model_version(WEIGHTS, AS_FITTED, DAY)


def test_one_changed_weight_gives_another_version() -> None:
    changed = {**WEIGHTS, "b": torch.tensor([0.0, 0.0, 0.0, 1e-7])}
    assert model_version(changed, AS_FITTED, DAY) != model_version(WEIGHTS, AS_FITTED, DAY)


@pytest.mark.parametrize("change", [{"temperature": 1.26}, {"smoothing": 0.0}])
def test_another_calibration_gives_another_version(change: dict[str, float]) -> None:
    other = model_version(WEIGHTS, {**AS_FITTED, **change}, DAY)
    assert other != model_version(WEIGHTS, AS_FITTED, DAY)


def test_fingerprint_changes_with_a_single_label(drawn: Fer2013) -> None:
    labels = drawn.test.labels.copy()
    labels[0] = 6
    test = type(drawn.test)("test", drawn.test.images, labels)
    changed = Fer2013(drawn.train, drawn.val, test)
    assert data_fingerprint(changed) != data_fingerprint(drawn)
    assert data_fingerprint(drawn) == data_fingerprint(drawn)


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *who, *words]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # fixed words


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
class TestCommit:
    def test_folder_outside_a_checkout_has_none(self, tmp_path: Path) -> None:
        assert code_commit(tmp_path) is None

    def test_checkout_without_a_commit_has_none(self, tmp_path: Path) -> None:
        git(tmp_path, "init")
        assert code_commit(tmp_path) is None

    def test_changed_file_makes_the_commit_dirty(self, tmp_path: Path) -> None:
        git(tmp_path, "init")
        (tmp_path / "file").write_text("one")
        git(tmp_path, "add", "file")
        git(tmp_path, "commit", "-m", "one")
        clean = code_commit(tmp_path)
        assert clean is not None
        assert len(clean) == 40
        (tmp_path / "file").write_text("two")
        assert code_commit(tmp_path) == f"{clean}-dirty"


def test_machine_without_git_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_commit(tmp_path) is None

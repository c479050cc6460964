import math
from pathlib import Path

import pytest

from emotion.checksums import digest_of, read_checksums
from tests.training.registry.answer_sheets import offer, sheet
from tests.training.registry.conftest import Gate, Register, open_run
from training.errors import ExportError, ModelFileError, PromotionError
from training.registry.champion import begin_repository, export_champion, require_fit_to_commit
from training.registry.versions import Registry

PLACE = "emotion_classifier/1/model.onnx"


def test_champion_is_written_with_all_that_is_served_beside_it(
    registry: Registry, register: Register, gate: Gate, repository: Path
) -> None:
    version = register(range(10))
    gate.crown(version)
    path = export_champion(registry, repository)
    assert path == repository / PLACE
    assert digest_of(path.read_bytes()) == version.sha256
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert read_checksums(readme)[PLACE] == version.sha256
    assert {entry.name for entry in (repository / "emotion_classifier").iterdir()} == {
        "1", "config.pbtxt", "labels.txt",
    }  # fmt: skip


def test_champion_that_is_there_already_is_left_alone(
    registry: Registry, register: Register, gate: Gate, repository: Path
) -> None:
    gate.crown(register(range(10)))
    written = export_champion(registry, repository).stat()
    assert export_champion(registry, repository).stat().st_mtime_ns == written.st_mtime_ns


def test_export_that_was_cut_off_before_the_checksum_is_finished(
    registry: Registry, register: Register, gate: Gate, repository: Path
) -> None:
    version = register(range(10))
    gate.crown(version)
    readme = repository / "README.md"
    before = readme.read_text(encoding="utf-8")
    export_champion(registry, repository)
    readme.write_text(before, encoding="utf-8")
    export_champion(registry, repository)
    assert read_checksums(readme.read_text(encoding="utf-8"))[PLACE] == version.sha256


def test_without_a_champion_there_is_nothing_to_export(
    registry: Registry, register: Register, repository: Path
) -> None:
    register(range(10))
    with pytest.raises(PromotionError, match="no champion to export yet"):
        export_champion(registry, repository)


def test_without_a_champion_there_is_nothing_to_commit(
    registry: Registry, register: Register
) -> None:
    register(range(10))
    with pytest.raises(PromotionError, match="no champion to export yet"):
        require_fit_to_commit(registry, large=True)


def test_champion_that_answers_nan_is_not_exported(
    registry: Registry, tmp_path: Path, repository: Path
) -> None:
    candidate = offer(tmp_path / "run", range(10), "broken")
    candidate.model.write_bytes(sheet(range(10), "broken-int8", right_value=math.nan))
    version = registry.register(candidate, open_run(registry).run_id)["int8"]
    registry.point("champion", version)
    with pytest.raises(ModelFileError, match=r"version \d+ \(broken-int8\): answers \[nan, 0\.0"):
        export_champion(registry, repository)
    assert [entry.name for entry in repository.iterdir()] == ["README.md"]


def test_trial_is_not_for_committing(registry: Registry, register: Register, gate: Gate) -> None:
    gate.crown(register(range(20), trial=16))
    with pytest.raises(PromotionError, match="is a trial: it learnt from a cut"):
        require_fit_to_commit(registry, large=True)


def test_large_champion_is_not_for_committing(
    registry: Registry, gate: Gate, tmp_path: Path
) -> None:
    candidate = offer(tmp_path / "run", range(20), "new", served="fp32")
    gate.crown(registry.register(candidate, open_run(registry).run_id)["fp32"])
    with pytest.raises(PromotionError, match="is fp32: four times the"):
        require_fit_to_commit(registry, large=False)


def test_champion_of_either_form_may_be_committed(
    registry: Registry, register: Register, gate: Gate, tmp_path: Path
) -> None:
    gate.crown(register(range(10)))
    require_fit_to_commit(registry, large=False)
    candidate = offer(tmp_path / "run", range(20), "new", served="fp32")
    gate.crown(registry.register(candidate, open_run(registry).run_id)["fp32"])
    require_fit_to_commit(registry, large=True)


def test_folder_that_is_no_model_repository_is_refused(
    registry: Registry, register: Register, gate: Gate, tmp_path: Path
) -> None:
    gate.crown(register(range(10)))
    with pytest.raises(ExportError, match=r"README\.md: no checksum line for emotion_classifier"):
        export_champion(registry, tmp_path)


def test_repository_begins_as_a_copy_of_the_built_in_one(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export" / "model_repository"
    begin_repository(folder, exported)
    assert (folder / PLACE).read_bytes() == (exported / PLACE).read_bytes()
    assert [entry.name for entry in folder.parent.iterdir()] == ["model_repository"]


def test_repository_that_is_there_stays_as_it_is(repository: Path, exported: Path) -> None:
    begin_repository(repository, exported)
    assert [entry.name for entry in repository.iterdir()] == ["README.md"]

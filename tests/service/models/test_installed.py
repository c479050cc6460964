import errno
import json
import multiprocessing
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from emotion.checksums import digest_of, read_checksums
from emotion.contract import CLASSIFIER_NAME
from emotion.errors import ModelUnavailable
from service.models import installed
from service.models.installed import InstalledModels, registry_version_in
from service.models.onnx import load_classifier
from service.models.repository import read_model, versions_of
from tests.service.tiny_models import TinyRepository, classifier


@pytest.fixture
def models(tiny: TinyRepository, tmp_path: Path) -> InstalledModels:
    """Nothing is installed yet."""
    return InstalledModels(tmp_path / "home" / "models", built_in=tiny.write())


def content_of(version: str) -> bytes:
    content: bytes = classifier(version).SerializeToString()
    return content


def place(models: InstalledModels, *versions: str) -> int:
    """Place models; the number of the last one. Each is version 100, 101, ... of the registry."""
    with models.locked():
        numbers = [
            models.place(content_of(one), one, str(100 + n)) for n, one in enumerate(versions)
        ]
    return numbers[-1]


def damage(models: InstalledModels, number: int) -> None:
    (models.folder / CLASSIFIER_NAME / str(number) / "model.onnx").write_bytes(b"damaged")


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def listed_in(models: InstalledModels) -> dict[str, str]:
    return read_checksums((models.folder / "README.md").read_text(encoding="utf-8"))


def test_a_model_is_placed_complete(models: InstalledModels, tiny: TinyRepository) -> None:
    assert place(models, "new") == 1
    assert files_in(models.folder) == {
        "README.md",
        "emotion_classifier/1/model.onnx",
        "emotion_classifier/1/registry.json",
        "emotion_classifier/config.pbtxt",
        "emotion_classifier/labels.txt",
    }
    assert load_classifier(models.folder, max_batch=1).version.version == "new"
    labels = f"{CLASSIFIER_NAME}/labels.txt"
    assert (models.folder / labels).read_bytes() == tiny.files[labels]


def test_the_configuration_is_the_built_in_one_with_the_names_of_the_versions_that_are_there(
    models: InstalledModels, tiny: TinyRepository
) -> None:
    place(models, "1", "2", "3")
    config = f"{CLASSIFIER_NAME}/config.pbtxt"
    assert (models.folder / config).read_text(encoding="utf-8") == (
        tiny.files[config].decode()
        + 'parameters { key: "version_2" value: { string_value: "2" } }\n'
        + 'parameters { key: "version_3" value: { string_value: "3" } }\n'
    )


def test_what_it_is_in_the_registry_is_recorded(models: InstalledModels) -> None:
    place(models, "new")
    folder = models.folder / CLASSIFIER_NAME / "1"
    assert registry_version_in(folder) == "100"
    with models.locked():
        models.record(1, "7")
    assert registry_version_in(folder) == "7"


@pytest.mark.parametrize("record", [None, b"", b"[]", b"{}", b"null"])
def test_a_record_that_is_none_tells_nothing(record: bytes | None, tmp_path: Path) -> None:
    if record is not None:
        (tmp_path / "registry.json").write_bytes(record)
    assert registry_version_in(tmp_path) is None


def test_the_newest_has_the_highest_number(models: InstalledModels) -> None:
    assert models.newest() is None
    place(models, "first", "second")
    newest = models.newest()
    assert newest is not None
    assert (newest.number, newest.digest) == (2, digest_of(content_of("second")))


def test_a_newest_one_that_was_changed_is_none_though_an_older_one_is_good(
    models: InstalledModels,
) -> None:
    place(models, "old", "new")
    damage(models, 2)
    assert models.newest() is None


def test_a_newest_one_that_breaks_the_contract_is_none(models: InstalledModels) -> None:
    with models.locked():
        models.place(classifier(classes=8).SerializeToString(), "tiny", "1")
    assert models.newest() is None


def test_a_former_model_that_comes_back_is_a_new_number(models: InstalledModels) -> None:
    assert place(models, "first", "second", "first") == 3
    assert load_classifier(models.folder, max_batch=1).version.version == "first"


def test_two_versions_are_kept_and_listed(models: InstalledModels) -> None:
    place(models, "1", "2", "3", "4")
    assert versions_of(models.folder / CLASSIFIER_NAME) == [3, 4]
    assert listed_in(models) == {
        f"{CLASSIFIER_NAME}/{number}/model.onnx": digest_of(content_of(str(number)))
        for number in (3, 4)
    }
    assert {path.name for path in (models.folder / CLASSIFIER_NAME).iterdir()} == {
        "3",
        "4",
        "config.pbtxt",
        "labels.txt",
    }


def test_damaged_versions_do_not_count_and_are_deleted(models: InstalledModels) -> None:
    place(models, "1", "2")
    with models.locked():
        models.place(classifier(classes=8).SerializeToString(), "tiny", "3")
    damage(models, 2)
    assert place(models, "4") == 4
    # With 1 deleted by the third, none of the good is left but the newest.
    assert versions_of(models.folder / CLASSIFIER_NAME) == [4]


def test_a_good_version_is_kept_however_many_damaged_ones_came_after_it(
    models: InstalledModels,
) -> None:
    place(models, "1", "2")
    damage(models, 2)
    assert place(models, "3") == 3
    assert versions_of(models.folder / CLASSIFIER_NAME) == [1, 3]
    damage(models, 3)
    assert place(models, "4") == 4
    assert versions_of(models.folder / CLASSIFIER_NAME) == [1, 4]
    assert set(listed_in(models)) == {f"{CLASSIFIER_NAME}/{n}/model.onnx" for n in (1, 4)}


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_has_a_versions_number_and_is_no_folder_is_deleted_as_damaged_ones_are(
    kind: str, models: InstalledModels, tmp_path: Path
) -> None:
    place(models, "1")
    stray = models.folder / CLASSIFIER_NAME / "5"
    if kind == "file":
        stray.write_bytes(b"no folder")
    else:
        (tmp_path / "elsewhere").mkdir()
        stray.symlink_to(tmp_path / "elsewhere")
    assert models.newest() is None
    assert place(models, "6") == 6
    assert versions_of(models.folder / CLASSIFIER_NAME) == [1, 6]
    assert load_classifier(models.folder, max_batch=1).version.version == "6"
    assert (tmp_path / "elsewhere").exists() == (kind == "link")


def test_a_full_disk_leaves_what_was_there_and_nothing_else(
    models: InstalledModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(models, "1")
    before = {name: (models.folder / name).read_bytes() for name in files_in(models.folder)}
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for call in range(4):
        left = [call]

        def fsync(_: int, left: list[int] = left) -> None:
            if left[0] == 0:
                raise full
            left[0] -= 1

        monkeypatch.setattr("os.fsync", fsync)
        with pytest.raises(OSError, match="No space left on device"):
            place(models, "2")
        monkeypatch.undo()
        assert files_in(models.folder) == before.keys()
        assert load_classifier(models.folder, max_batch=1).version.version == "1"


def test_a_list_that_is_no_text_is_written_anew(models: InstalledModels) -> None:
    place(models, "1")
    (models.folder / "README.md").write_bytes(b"\xff\xfe")
    assert place(models, "2") == 2
    assert versions_of(models.folder / CLASSIFIER_NAME) == [2]


def test_only_one_may_be_kept(tiny: TinyRepository) -> None:
    models = InstalledModels(tiny.write(), tiny.folder, keep=1)
    assert place(models, "new") == 2
    assert versions_of(tiny.folder / CLASSIFIER_NAME) == [2]


def test_sha256sum_agrees(models: InstalledModels) -> None:
    place(models, "1", "2", "3")
    command = ["sha256sum", "--check", "--quiet", "README.md"]
    done = subprocess.run(command, cwd=models.folder, check=False)  # noqa: S603  # our own words
    assert done.returncode == 0


def test_models_that_others_put_there_stay_as_they_are(tiny: TinyRepository) -> None:
    models = InstalledModels(tiny.write(), tiny.folder)
    before = listed_in(models)["face_detector/1/model.onnx"]
    place(models, "2", "3", "4")
    assert listed_in(models)["face_detector/1/model.onnx"] == before
    read_model(models.folder, "face_detector")


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("call", range(12))
def test_whatever_ends_a_pull_the_old_model_or_the_new_one_is_served(
    call: int, models: InstalledModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(models, "1", "2")
    left = [call]

    def crash_in_turn() -> None:
        if left[0] == 0:
            raise Crash
        left[0] -= 1

    real = os.fsync

    def fsync(descriptor: int) -> None:
        crash_in_turn()
        real(descriptor)

    # What a crash leaves is not tidied up by anybody.
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: crash_in_turn())
    monkeypatch.setattr("os.fsync", fsync)
    with suppress(Crash):
        place(models, "3")
    monkeypatch.undo()
    assert load_classifier(models.folder, max_batch=1).version.version in {"2", "3"}
    place(models, "4")
    assert load_classifier(models.folder, max_batch=1).version.version == "4"
    names = {path.name for path in (models.folder / CLASSIFIER_NAME).iterdir()}
    assert not {name for name in names if name.startswith(".")}
    assert len(names) == 4
    assert len(listed_in(models)) == 2


def hold(folder: Path, built_in: Path, held: "multiprocessing.synchronize.Event") -> None:
    with InstalledModels(folder, built_in).locked():
        held.set()
        held.wait(3600)
        multiprocessing.Event().wait()


def test_two_do_not_pull_at_once_and_a_lock_ends_with_its_process(
    models: InstalledModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(models.folder, models.built_in, held))
    other.start()
    try:
        assert held.wait(60)
        monkeypatch.setattr(installed, "_LOCK_SECONDS", 0.2)
        with pytest.raises(ModelUnavailable, match="Another pull has been at work in "):
            place(models, "new")
    finally:
        other.kill()
        other.join()
        other.close()
    assert place(models, "new") == 1


def test_the_record_is_json(models: InstalledModels) -> None:
    place(models, "new")
    record = (models.folder / CLASSIFIER_NAME / "1" / "registry.json").read_text(encoding="utf-8")
    assert json.loads(record) == {"name": "emotion_classifier", "version": "100"}

from pathlib import Path

import pytest

from emotion.checksums import digest_of
from emotion.contract import CLASSIFIER_NAME
from emotion.errors import ContractMismatch
from service.models.repository import (
    check_labels,
    configured_as,
    read_classifier,
    read_model,
    versions_of,
)
from tests.service.tiny_models import TinyRepository, classifier

CONFIG = f"{CLASSIFIER_NAME}/config.pbtxt"
LABELS = f"{CLASSIFIER_NAME}/labels.txt"
MODEL = f"{CLASSIFIER_NAME}/1/model.onnx"


def test_a_model_comes_with_what_its_configuration_says(tiny: TinyRepository) -> None:
    model = read_model(tiny.write(), CLASSIFIER_NAME)
    assert model.content == tiny.files[MODEL]
    assert (model.name, model.max_batch_size) == (CLASSIFIER_NAME, 4)
    assert (model.intra_op_threads, model.inter_op_threads) == (3, 2)
    assert (model.number, model.digest) == (1, digest_of(tiny.files[MODEL]))


def test_a_file_that_lies_nowhere_gets_a_repositorys_configuration(tiny: TinyRepository) -> None:
    model = configured_as(tiny.write(), CLASSIFIER_NAME, b"content")
    assert (model.number, model.content, model.max_batch_size) == (0, b"content", 4)
    assert model.digest == digest_of(b"content")


def test_versions_are_sorted_by_number_and_all_else_is_passed_over(tmp_path: Path) -> None:
    for name in ("10", "9", "01", "0", ".draft", "next", "²"):
        (tmp_path / name).mkdir()
    assert versions_of(tmp_path) == [9, 10]


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_what_is_no_folder_has_no_versions(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert versions_of(tmp_path / name) == []


def test_an_older_version_may_be_asked_for(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("new"), version=2)
    model = read_model(tiny.write(), CLASSIFIER_NAME, 1)
    assert (model.number, model.content) == (1, tiny.files[MODEL])


def test_one_thread_is_the_default(tiny: TinyRepository) -> None:
    tiny.files[CONFIG] = b'name: "emotion_classifier" backend: "onnxruntime"'
    model = read_model(tiny.write(), CLASSIFIER_NAME)
    assert (model.intra_op_threads, model.inter_op_threads) == (1, 1)


def test_the_newest_version_is_taken_by_number(tiny: TinyRepository) -> None:
    tiny.set_model(CLASSIFIER_NAME, classifier("nine"), version=9)
    tiny.set_model(CLASSIFIER_NAME, classifier("ten"), version=10)
    model = read_model(tiny.write(), CLASSIFIER_NAME)
    assert model.content == classifier("ten").SerializeToString()


def test_a_changed_file_is_refused(tiny: TinyRepository) -> None:
    repository = tiny.write()
    (repository / MODEL).write_bytes(tiny.files[MODEL] + b" ")
    with pytest.raises(ContractMismatch, match=r"1/model\.onnx: its SHA-256 is not the one listed"):
        read_model(repository, CLASSIFIER_NAME)


def test_a_file_without_a_checksum_is_refused(tiny: TinyRepository) -> None:
    repository = tiny.write()
    (repository / "README.md").write_text("# Models")
    with pytest.raises(ContractMismatch, match="its SHA-256 is not the one listed"):
        read_model(repository, CLASSIFIER_NAME)


@pytest.mark.parametrize("path", [CONFIG, MODEL, "README.md"])
def test_a_missing_file_is_named(path: str, tiny: TinyRepository) -> None:
    repository = tiny.write()
    (repository / path).unlink()
    with pytest.raises(ContractMismatch, match=rf"{path}: No such file or directory\."):
        read_model(repository, CLASSIFIER_NAME)


def test_a_model_without_a_version_is_refused(tiny: TinyRepository) -> None:
    del tiny.files[MODEL]
    with pytest.raises(ContractMismatch, match=r"holds no version; expected a folder named 1\."):
        read_model(tiny.write(), CLASSIFIER_NAME)


@pytest.mark.parametrize(
    ("old", "new"), [("onnxruntime", "pytorch"), ('name: "emotion_classifier"', 'name: "other"')]
)
def test_another_backend_or_name_is_refused(old: str, new: str, tiny: TinyRepository) -> None:
    tiny.replace(CONFIG, old, new)
    with pytest.raises(ContractMismatch, match="not 'emotion_classifier' for 'onnxruntime'"):
        read_model(tiny.write(), CLASSIFIER_NAME)


def test_a_configuration_that_is_none_is_refused(tiny: TinyRepository) -> None:
    tiny.files[CONFIG] = b"max_batch: 4"
    with pytest.raises(ContractMismatch, match=r"config\.pbtxt: .*no field named"):
        read_model(tiny.write(), CLASSIFIER_NAME)


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_thread_count_is_a_number(count: str, tiny: TinyRepository) -> None:
    tiny.replace(CONFIG, '"3"', f'"{count}"')
    with pytest.raises(ContractMismatch, match=f"intra_op_thread_count is '{count}'"):
        read_model(tiny.write(), CLASSIFIER_NAME)


def test_the_same_labels_in_the_same_order_pass(tiny: TinyRepository) -> None:
    check_labels(tiny.write(), CLASSIFIER_NAME)


def test_labels_in_another_order_are_refused(tiny: TinyRepository) -> None:
    tiny.replace(LABELS, "angry\ndisgust", "disgust\nangry")
    with pytest.raises(ContractMismatch, match="not this project's, in its order"):
        check_labels(tiny.write(), CLASSIFIER_NAME)


def test_a_classifier_is_read_with_its_labels(tiny: TinyRepository) -> None:
    assert read_classifier(tiny.write()).content == tiny.files[MODEL]
    tiny.replace(LABELS, "angry\ndisgust", "disgust\nangry")
    with pytest.raises(ContractMismatch, match="not this project's, in its order"):
        read_classifier(tiny.write())


@pytest.mark.parametrize("path", [CONFIG, LABELS, "README.md"])
def test_bytes_that_are_no_text_are_refused(path: str, tiny: TinyRepository) -> None:
    (tiny.write() / path).write_bytes(b"\xff\xfe")
    with pytest.raises(ContractMismatch, match=path):
        read_classifier(tiny.folder)


def test_missing_labels_are_refused(tiny: TinyRepository) -> None:
    del tiny.files[LABELS]
    with pytest.raises(ContractMismatch, match=r"labels\.txt: No such file or directory\."):
        check_labels(tiny.write(), CLASSIFIER_NAME)

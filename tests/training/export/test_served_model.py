from hashlib import sha256
from pathlib import Path

import pytest

from emotion.checksums import read_checksums
from training.export.served_model import write_model


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_model_and_its_files_are_written(repository: Path) -> None:
    path = write_model(repository, "face_detector", b"model", {"config.pbtxt": "config"})
    assert path == repository / "face_detector" / "1" / "model.onnx"
    assert contents(repository / "face_detector") == {
        "1/model.onnx": b"model",
        "config.pbtxt": b"config",
    }


def test_checksum_of_this_model_alone_is_brought_up_to_date(repository: Path) -> None:
    write_model(repository, "face_detector", b"model", {})
    assert read_checksums((repository / "README.md").read_text(encoding="utf-8")) == {
        "face_detector/1/model.onnx": sha256(b"model").hexdigest(),
        "emotion_classifier/1/model.onnx": "1" * 64,
    }


def test_former_model_leaves_nothing_behind(repository: Path) -> None:
    write_model(repository, "face_detector", b"former", {"former.txt": ""})
    write_model(repository, "face_detector", b"model", {})
    assert contents(repository).keys() == {"README.md", "face_detector/1/model.onnx"}
    assert sorted(path.name for path in repository.iterdir()) == ["README.md", "face_detector"]


def test_model_that_the_readme_does_not_list_is_refused(repository: Path) -> None:
    before = contents(repository)
    with pytest.raises(KeyError):
        write_model(repository, "age_guesser", b"model", {})
    assert contents(repository) == before


def test_failure_while_writing_leaves_the_former_model(repository: Path) -> None:
    write_model(repository, "face_detector", b"former", {})
    before = contents(repository)
    with pytest.raises(OSError, match="no-such-folder"):
        write_model(repository, "face_detector", b"model", {"no-such-folder/file": ""})
    assert contents(repository) == before

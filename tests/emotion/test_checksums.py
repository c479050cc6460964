import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from emotion.checksums import digest_of, read_checksums, with_checksum

ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)
README = f"# Models\n\n```\n{ONE}  a/1/model.onnx\n{TWO}  b/1/model.onnx\n```\nThe end.\n"


def test_digest_is_sha256_in_hex() -> None:
    assert digest_of(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_listed_checksums_are_read() -> None:
    assert read_checksums(README) == {"a/1/model.onnx": ONE, "b/1/model.onnx": TWO}


@pytest.mark.parametrize(
    "line", [f"{ONE} a", f"{ONE[1:]}  a", f"{'G' * 64}  a", f"x{ONE}  a", f"{ONE}  a b", ""]
)
def test_other_lines_are_text(line: str) -> None:
    assert read_checksums(line) == {}


def test_line_of_one_path_is_replaced() -> None:
    text = with_checksum(README, "a/1/model.onnx", THREE)
    assert text == README.replace(ONE, THREE)


def test_path_without_a_line_is_an_error() -> None:
    with pytest.raises(KeyError, match="c/1/model"):
        with_checksum(README, "c/1/model.onnx", THREE)


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum on this machine")
def test_sha256sum_understands_the_readme(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"abc")
    readme = with_checksum(f"# Models\n{ONE}  model.onnx\n", "model.onnx", digest_of(b"abc"))
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    command = ["sha256sum", "--check", "README.md"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603  # fixed
    assert run.stdout == "model.onnx: OK\n"


def test_committed_models_are_the_listed_ones(model_repository: Path) -> None:
    listed = read_checksums((model_repository / "README.md").read_text(encoding="utf-8"))
    digests = {path: digest_of((model_repository / path).read_bytes()) for path in listed}
    assert digests == listed
    assert sorted(listed) == ["emotion_classifier/1/model.onnx", "face_detector/1/model.onnx"]

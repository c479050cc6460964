from pathlib import Path

import pytest
import torch

from training.errors import CheckpointError
from training.fitting.tensor_files import read_tensors, write_tensors

CPU = torch.device("cpu")
WEIGHTS = torch.arange(100.0)
CONTENT = {"weights": WEIGHTS, "epoch": 3, "names": ["a", "b"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_tensors(tmp_path / "best.pt", CONTENT)
    return tmp_path / "best.pt"


def test_what_is_written_is_read_back_and_no_draft_is_left(path: Path) -> None:
    content = read_tensors(path, CPU)
    assert torch.equal(content.pop("weights"), WEIGHTS)
    assert content == {"epoch": 3, "names": ["a", "b"]}
    assert [entry.name for entry in path.parent.iterdir()] == ["best.pt"]


def test_file_that_was_cut_off_anywhere_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"best\.pt: damaged\. Bring it back from a copy"):
            read_tensors(path, CPU)


def test_weights_that_changed_by_a_byte_are_refused(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(WEIGHTS.numpy().tobytes()) + 7] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"best\.pt: damaged"):
        read_tensors(path, CPU)


@pytest.mark.parametrize("content", [b"text\n", b"PK\x03\x04" + b"a" * 100, b"\x80\x02}q\x00."])
def test_something_else_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"best\.pt: damaged"):
        read_tensors(path, CPU)


def test_missing_file_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "best.pt", CPU)

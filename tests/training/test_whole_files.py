from errno import ENOSPC
from pathlib import Path

import pytest

from training.whole_files import naming, write_whole, write_whole_bytes


def test_file_holds_the_text_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "note.txt", "first")
    write_whole(tmp_path / "note.txt", "zweite Fassung, größer")
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "zweite Fassung, größer"
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_what_was_there_stays_where_the_text_can_not_be_written(tmp_path: Path) -> None:
    write_whole(tmp_path / "note.txt", "first")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "note.txt", "half of it \ud800")
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "first"


def test_what_the_disk_refuses_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "note.txt").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole_bytes(tmp_path / "note.txt", b"text")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_full_disk_says_which_file_it_was(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left on device") as caught, naming(tmp_path / "x"):
        raise OSError(ENOSPC, "No space left on device")
    assert caught.value.errno == ENOSPC
    assert caught.value.filename == str(tmp_path / "x")


def test_file_that_an_error_names_is_not_replaced() -> None:
    with pytest.raises(FileNotFoundError) as caught, naming(Path("x")):
        Path("/no-such-file").read_bytes()
    assert caught.value.filename == "/no-such-file"

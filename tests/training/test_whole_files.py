from pathlib import Path

import pytest

from training.whole_files import write_whole


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

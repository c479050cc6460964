from pathlib import Path

import pytest

from emotion.errors import InvalidRequest
from service.storage.folder import FolderStore
from service.storage.ownership import MARK, take_for


def test_nobodys_objects_become_ones_own_and_stay_so(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    take_for("one", store, "s3://videos", None)
    take_for("one", store, "s3://videos", None)
    assert store.read(MARK) == b"one"


def test_anothers_objects_are_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    take_for("one", store, "s3://videos", None)
    with pytest.raises(InvalidRequest, match=r"^s3://videos has the objects of another install"):
        take_for("two", store, "s3://videos", None)


def test_of_two_at_once_one_is_refused(tmp_path: Path) -> None:
    class Late(FolderStore):
        """Another writes between the look and the write."""

        def write_new(self, key: str, content: bytes) -> bool:
            super().write_new(key, b"two")
            return super().write_new(key, content)

    with pytest.raises(InvalidRequest):
        take_for("one", Late(tmp_path), "s3://videos", None)


def test_objects_that_are_somewhere_else_are_told_of(tmp_path: Path) -> None:
    why = r"^s3://videos has none of this database's objects: they were in s3://films\. "
    with pytest.raises(InvalidRequest, match=why):
        take_for("one", FolderStore(tmp_path), "s3://videos", "s3://films")


def test_objects_that_were_moved_with_their_mark_are_taken(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write(MARK, b"one")
    take_for("one", store, "s3://videos", "s3://films")
    assert store.read(MARK) == b"one"

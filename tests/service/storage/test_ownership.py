from pathlib import Path

import pytest

from emotion.errors import InvalidRequest
from service.storage.folder import FolderStore
from service.storage.ownership import MARK, take_for


def test_nobodys_objects_become_ones_own_and_stay_so(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    take_for("one", store, "s3://videos")
    take_for("one", store, "s3://videos")
    assert store.read(MARK) == b"one"


def test_anothers_objects_are_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    take_for("one", store, "s3://videos")
    with pytest.raises(InvalidRequest, match=r"^s3://videos has the objects of another install"):
        take_for("two", store, "s3://videos")


def test_of_two_at_once_one_is_refused(tmp_path: Path) -> None:
    class Late(FolderStore):
        """Another writes between the look and the write."""

        def write_new(self, key: str, content: bytes) -> bool:
            super().write_new(key, b"two")
            return super().write_new(key, content)

    with pytest.raises(InvalidRequest):
        take_for("one", Late(tmp_path), "s3://videos")

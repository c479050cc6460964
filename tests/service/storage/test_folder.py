"""A real folder of objects."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.storage.folder import FolderStore
from service.storage_errors import StorageFull, StorageUnavailable
from tests.e2e.servers import files_of

MEGABYTE = bytes(2**20)


async def pieces(count: int, error: BaseException | None = None) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield MEGABYTE
    if error is not None:
        raise error


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


@pytest.mark.parametrize("count", [0, 1, 20])
async def test_what_arrives_in_pieces_stands_whole(store: FolderStore, count: int) -> None:
    await store.receive("a/source", pieces(count))
    with store.as_local_file("a/source") as path:
        assert path.read_bytes() == MEGABYTE * count


@pytest.mark.parametrize("count", [1, 20])
async def test_what_ends_in_the_middle_leaves_nothing(
    store: FolderStore, tmp_path: Path, count: int
) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.receive("a/source", pieces(count, ZeroDivisionError()))
    assert files_of(tmp_path) == []


async def test_what_is_cancelled_in_the_middle_leaves_nothing(
    store: FolderStore, tmp_path: Path
) -> None:
    arrived = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield MEGABYTE
        arrived.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.receive("a/source", stuck()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The store's own threads tidy up.
    async with asyncio.timeout(5):
        while files_of(tmp_path):  # nobody tells
            await asyncio.sleep(0.01)


def test_what_is_written_is_read(store: FolderStore) -> None:
    store.write("a/report.json", b"{}")
    store.write("a/report.json", b"[]")
    assert store.read("a/report.json") == b"[]"


def test_what_is_not_there_is_told(store: FolderStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("a/report.json")
    with pytest.raises(FileNotFoundError), store.as_local_file("a/source"):
        pass


def test_a_prefix_is_erased_with_what_was_left_unfinished(
    store: FolderStore, tmp_path: Path
) -> None:
    store.write("a/1/source", b"1")
    store.write("a/12/source", b"12")
    (tmp_path / "objects" / "a" / "1" / "source#1").write_bytes(b"part of an upload")
    store.erase("a/1")
    store.erase("a/1")
    assert [path.parent.name for path in files_of(tmp_path)] == ["12"]


def test_an_object_is_written_once_if_it_must_be_new(store: FolderStore) -> None:
    assert [store.write_new("a/mark", each) for each in (b"1", b"2")] == [True, False]
    assert store.read("a/mark") == b"1"


def test_a_part_of_an_object_is_read(store: FolderStore) -> None:
    store.write("a/source", bytes(range(10)))
    assert store.read_range("a/source", 3, 4) == bytes([3, 4, 5, 6])


def test_one_object_is_erased(store: FolderStore, tmp_path: Path) -> None:
    store.write("a/source", b"1")
    store.write("a/report", b"2")
    store.erase("a/source")
    assert [path.name for path in files_of(tmp_path)] == ["report"]


def test_a_folder_that_cant_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable):
        FolderStore(tmp_path / "file" / "objects")


async def test_a_full_disk_is_told(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    with pytest.raises(StorageFull, match=r"^The storage is full\."):
        await store.receive("a/source", pieces(20, OSError(28, "No space left on device")))
    assert files_of(tmp_path) == []

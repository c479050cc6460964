"""A real bucket of S3."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from emotion.errors import InvalidRequest
from service.storage.address import BucketAddress
from service.storage.bucket import BucketStore
from service.storage_errors import StorageUnavailable
from tests.gate import Gate, gate_before
from tests.s3_server import JOBS_BUCKET, S3Server

T = TypeVar("T")
MEGABYTE = bytes(2**20)
BIG = bytes(range(256)) * (20 * 2**12)


async def pieces(count: int, error: BaseException | None = None) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield MEGABYTE
    if error is not None:
        raise error


@pytest.fixture
def gate(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Before the server; the client comes through it."""
    with gate_before(s3.port) as one:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{one.port}")
        yield one


@pytest.fixture
def address() -> BucketAddress:
    return BucketAddress("s3", JOBS_BUCKET, uuid.uuid4().hex)


@pytest.fixture
def store(gate: Gate, address: BucketAddress, tmp_path: Path) -> BucketStore:
    return BucketStore(address, tmp_path / "fetched")


@pytest.mark.parametrize("count", [0, 1, 20])
async def test_what_arrives_in_pieces_stands_whole(store: BucketStore, count: int) -> None:
    await store.receive("a/source", pieces(count))
    with store.as_local_file("a/source") as path:
        assert path.read_bytes() == MEGABYTE * count


@pytest.mark.parametrize("count", [1, 20])
async def test_what_ends_in_the_middle_leaves_nothing_and_no_parts(
    store: BucketStore, address: BucketAddress, s3: S3Server, count: int
) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.receive("a/source", pieces(count, ZeroDivisionError()))
    with pytest.raises(FileNotFoundError):
        store.read("a/source")
    assert s3.unfinished(JOBS_BUCKET, address.prefix) == 0


async def test_what_is_cancelled_in_the_middle_leaves_nothing_and_no_parts(
    store: BucketStore, address: BucketAddress, s3: S3Server
) -> None:
    arrived = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield MEGABYTE
        arrived.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.receive("a/source", stuck()))
    await arrived.wait()
    assert s3.unfinished(JOBS_BUCKET, address.prefix) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert s3.unfinished(JOBS_BUCKET, address.prefix) == 0
    with pytest.raises(FileNotFoundError):
        store.read("a/source")


async def test_a_store_that_is_gone_while_something_arrives_is_told(
    store: BucketStore, gate: Gate
) -> None:
    async def cut_off() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield MEGABYTE
        gate.shut()
        for _ in range(20):
            yield MEGABYTE

    with pytest.raises(StorageUnavailable):
        await store.receive("a/source", cut_off())


async def test_where_the_store_is_gone_nobody_waits_for_more(
    store: BucketStore, gate: Gate
) -> None:
    waits: list[bool] = []

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield MEGABYTE
        gate.shut()
        for _ in range(8):
            yield MEGABYTE
        waits.append(True)
        try:
            await asyncio.Event().wait()
        finally:
            waits.append(False)

    with pytest.raises(StorageUnavailable):
        async with asyncio.timeout(30):
            await store.receive("a/source", slow())
    assert waits in ([], [True, False])


def test_what_is_written_is_read_in_whole_or_in_part(store: BucketStore) -> None:
    store.write("a/report.json", b"{}")
    store.write("a/report.json", b"[1, 2]")
    assert store.read("a/report.json") == b"[1, 2]"
    assert store.read_range("a/report.json", 1, 4) == b"1, 2"


def test_an_object_is_written_once_if_it_must_be_new(store: BucketStore) -> None:
    assert [store.write_new("a/mark", each) for each in (b"1", b"2")] == [True, False]
    assert store.read("a/mark") == b"1"


def test_what_is_not_there_is_told(store: BucketStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("a/report.json")
    with pytest.raises(FileNotFoundError), store.as_local_file("a/source"):
        pass


def test_a_prefix_is_erased_and_no_more_than_that(store: BucketStore) -> None:
    for key in ("a/1/source", "a/1/reports/1/report.csv", "a/12/source"):
        store.write(key, b"1")
    store.erase("a/1")
    store.erase("a/1")
    assert store.read("a/12/source") == b"1"
    for key in ("a/1/source", "a/1/reports/1/report.csv"):
        with pytest.raises(FileNotFoundError):
            store.read(key)


def test_one_object_is_erased(store: BucketStore) -> None:
    store.write("a/source", b"1")
    store.write("a/source2", b"2")
    store.erase("a/source")
    assert store.read("a/source2") == b"2"
    with pytest.raises(FileNotFoundError):
        store.read("a/source")


def test_a_fetched_file_has_no_name_and_no_other_place(store: BucketStore, tmp_path: Path) -> None:
    store.write("a/source", BIG)
    with store.as_local_file("a/source") as path:
        assert path.read_bytes() == BIG
        assert path.stat().st_size == len(BIG)
        assert list((tmp_path / "fetched").iterdir()) == []
    assert not path.exists()


def test_a_fetch_goes_on_where_it_was_cut_off(store: BucketStore, gate: Gate) -> None:
    store.write("a/source", BIG)
    before = gate.passed
    gate.shut_after(before + 12 * 2**20)
    failures = []

    def tries(work: Callable[[], T]) -> T:
        try:
            return work()
        except StorageUnavailable as error:
            failures.append(error)
            gate.open()
            return work()

    with store.as_local_file("a/source", tries) as path:
        assert path.read_bytes() == BIG
    assert len(failures) == 1
    # A part of 8 MiB was asked for twice, and nothing else.
    assert gate.passed - before < len(BIG) + 8 * 2**20


def test_whatever_ends_the_tries_ends_the_fetch(store: BucketStore) -> None:
    def tries(work: Callable[[], T]) -> T:
        raise ZeroDivisionError

    store.write("a/source", b"1")
    with pytest.raises(ZeroDivisionError), store.as_local_file("a/source", tries):
        pass


def test_a_bucket_has_no_bound(store: BucketStore) -> None:
    assert store.free_bytes == float("inf")


@pytest.mark.parametrize(
    ("bucket", "variables", "why"),
    [
        (
            "nobody-made-it",
            {},
            "There is no bucket nobody-made-it for s3://nobody-made-it/a. Make it, or set "
            "RAPT_STORAGE_URL to another.",
        ),
        (
            JOBS_BUCKET,
            {"AWS_SECRET_ACCESS_KEY": "guessed"},
            f"Access to s3://{JOBS_BUCKET}/a is refused. Check AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY in the environment.",
        ),
        (
            JOBS_BUCKET,
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            f"The store of s3://{JOBS_BUCKET}/a doesn't answer. Check the network, and the "
            "endpoint (AWS_ENDPOINT_URL) where it is set.",
        ),
    ],
)
def test_what_stands_in_the_way_at_the_start_is_said_in_a_sentence(
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bucket: str,
    variables: dict[str, str],
    why: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = BucketStore(BucketAddress("s3", bucket, "a"), tmp_path)
    with pytest.raises(InvalidRequest) as told, store.saying_why():
        store.read("mark")
    assert told.value.message == why


def test_a_bucket_that_is_gone_is_no_missing_object(gate: Gate, tmp_path: Path) -> None:
    store = BucketStore(BucketAddress("s3", "nobody-made-it", ""), tmp_path)
    with pytest.raises(StorageUnavailable):
        store.read("a/report.json")

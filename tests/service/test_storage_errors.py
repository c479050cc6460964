import errno

import pytest

from emotion.errors import InvalidRequest
from service.storage_errors import (
    StorageFull,
    StorageUnavailable,
    failures_so_far,
    storage_errors,
)


def newly_failed(before: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in failures_so_far().items()}


def test_each_failure_is_counted_once_by_its_kind_though_it_passes_twice() -> None:
    before = dict(failures_so_far())
    with pytest.raises(StorageFull), storage_errors(), storage_errors():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StorageUnavailable), storage_errors():
        raise OSError(errno.EIO, "Input/output error")
    assert newly_failed(before) == {"StorageFull": 1, "StorageUnavailable": 1}


def test_what_is_no_failure_of_the_storage_is_not_counted() -> None:
    before = dict(failures_so_far())
    with pytest.raises(FileNotFoundError), storage_errors():
        raise FileNotFoundError
    with pytest.raises(InvalidRequest), storage_errors():
        raise InvalidRequest("no")
    assert newly_failed(before) == {"StorageFull": 0, "StorageUnavailable": 0}

import json
from pathlib import Path
from typing import Any

import pytest

from loadtests.endpoints import PHOTO_HTTP, refused
from loadtests.results import Row, read_results, rows_of


def entry(name: str, requests: int, failures: int, times: dict[str, int]) -> dict[str, Any]:
    return {
        "method": "spike",
        "name": name,
        "num_requests": requests,
        "num_failures": failures,
        "response_times": times,
    }


ANSWERED = entry(PHOTO_HTTP, 10, 1, {"20": 9, "400": 1})
REFUSED = entry(refused(PHOTO_HTTP), 5, 0, {"2": 5})


@pytest.mark.parametrize("entries", [[ANSWERED, REFUSED], [REFUSED, ANSWERED]])
def test_refused_calls_are_counted_with_their_endpoint_and_not_timed(
    entries: list[dict[str, Any]],
) -> None:
    (row,) = rows_of(entries)
    assert row == Row("spike", PHOTO_HTTP, 9, 5, 1, {20: 9, 400: 1})
    assert row.calls == 15


@pytest.mark.parametrize(("share", "time"), [(0.5, 20), (0.9, 20), (0.95, 400), (1.0, 400)])
def test_percentile_is_the_time_that_so_many_took_at_most(share: float, time: int) -> None:
    (row,) = rows_of([ANSWERED])
    assert row.percentile(share) == time


def test_where_all_were_refused_no_time_is_told() -> None:
    (row,) = rows_of([REFUSED])
    assert row.percentile(0.95) == 0


def test_locusts_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    file.write_text(json.dumps([ANSWERED]))
    assert read_results(file) == rows_of([ANSWERED])

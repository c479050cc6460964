from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.endpoints import BATCH, PHOTO_GRPC, PHOTO_HTTP, VIDEO
from loadtests.levels import Level, Levels, missed, read_levels
from loadtests.results import Row
from loadtests.shapes import Stage

LEVELS = Levels(10.0, 0.9, {PHOTO_HTTP: Level(p95=100, p99=200, errors=0.01, refusals=0.0)})
SHAPE = (
    Stage("warm-up", 5, is_judged=False),
    Stage("before", 10),
    Stage("spike", 10, 12, is_judged=False),
    Stage("after", 10),
)
GOOD = Row("before", PHOTO_HTTP, 100, 0, 0, {50: 95, 100: 4, 200: 1})
SPIKE = Row("spike", PHOTO_HTTP, 200, 900, 0, {900: 200})
AFTER = replace(GOOD, stage="after")


def test_levels_that_are_kept_are_not_told() -> None:
    assert missed(LEVELS, SHAPE, [GOOD, SPIKE, AFTER]) == []


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (replace(AFTER, times={110: 10, 50: 90}), "p95 is 110 ms, not 100"),
        (replace(AFTER, times={210: 2, 50: 98}), "p99 is 210 ms, not 200"),
        (replace(AFTER, answered=98, failed=2), "2 of 100 calls failed"),
        (replace(AFTER, answered=99, refused=1), "1 of 100 calls were refused"),
    ],
)
def test_each_level_that_is_missed_is_told(row: Row, what: str) -> None:
    assert missed(LEVELS, SHAPE, [GOOD, SPIKE, row]) == [f"after: {PHOTO_HTTP}: {what}"]


def test_a_share_of_errors_that_is_allowed_is_not_told() -> None:
    row = replace(AFTER, answered=99, failed=1)
    assert missed(LEVELS, SHAPE, [GOOD, SPIKE, row]) == []


def test_failures_are_told_of_a_spike_too_and_refusals_are_not() -> None:
    rows = [GOOD, replace(SPIKE, failed=3), AFTER]
    assert missed(LEVELS, SHAPE, rows) == [f"spike: {PHOTO_HTTP}: 3 calls failed"]


def test_a_spike_that_was_none_is_told() -> None:
    rows = [GOOD, replace(SPIKE, refused=700), AFTER]
    assert missed(LEVELS, SHAPE, rows) == ["spike: 90.0 calls a second are not 10 times 10.0"]


def test_a_spike_in_which_less_is_answered_than_before_is_told() -> None:
    rows = [GOOD, replace(SPIKE, answered=89, refused=1000), AFTER]
    assert missed(LEVELS, SHAPE, rows) == [
        "spike: 8.9 answers a second are less than 90 % of the 10.0 before"
    ]


def test_a_stage_in_which_nothing_was_asked_is_told() -> None:
    assert missed(LEVELS, SHAPE, [GOOD, SPIKE]) == ["after: nothing was asked"]


def test_all_endpoints_have_levels() -> None:
    assert set(read_levels().endpoints) == {PHOTO_HTTP, PHOTO_GRPC, BATCH, VIDEO}


@pytest.mark.parametrize(
    "content",
    [
        "rate = 1",
        "rate = 1\nspike.goodput = 0.9\n[endpoints.a]\np95 = 1",
        "rate = 1\nspike.goodput = 0.9\n[endpoints.a]\n"
        "p95 = 1\np99 = 1\nerrors = 0\nrefusals = 0\np50 = 1",
    ],
)
def test_a_file_that_lacks_a_level_or_has_an_unknown_one_is_refused(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "levels.toml"
    file.write_text(content)
    with pytest.raises(ValueError, match="lacks a service level, or has an unknown one"):
        read_levels(file)

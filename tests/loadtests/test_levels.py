import re
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.endpoints import BATCH, PHOTO_GRPC, PHOTO_HTTP, VIDEO
from loadtests.levels import LEVELS as LEVELS_FILE
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


def test_an_endpoint_that_was_not_asked_in_a_judged_stage_is_told() -> None:
    level = LEVELS.endpoints[PHOTO_HTTP]
    levels = replace(LEVELS, endpoints={PHOTO_HTTP: level, PHOTO_GRPC: level})
    over_grpc = [replace(GOOD, endpoint=PHOTO_GRPC), replace(AFTER, endpoint=PHOTO_GRPC)]
    shape = [stage for stage in SHAPE if stage.is_judged]
    assert missed(levels, tuple(shape), [GOOD, *over_grpc]) == [
        f"after: {PHOTO_HTTP}: nothing was asked"
    ]


def test_all_endpoints_have_levels() -> None:
    assert set(read_levels().endpoints) == {PHOTO_HTTP, PHOTO_GRPC, BATCH, VIDEO}


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("rate = 10.0", "", "rate: Field required"),
        ("rate = 10.0", "rate = 0", "rate: Input should be greater than 0"),
        ("rate = 10.0", "rates = 10.0\nrate = 1", "rates: Unexpected keyword argument"),
        ("goodput = 0.9", "goodput = inf", "goodput: Input should be a finite number"),
        ("p95 = 15000", "", f"endpoints.{VIDEO}.p95: Field required"),
        ("p95 = 15000", "p95 = nan", f"endpoints.{VIDEO}.p95: Input should be a finite number"),
        ("p95 = 15000", "p95 = -1", f"endpoints.{VIDEO}.p95: Input should be greater than 0"),
        ("p95 = 15000", "p95 = 1\np50 = 1", f"endpoints.{VIDEO}.p50: Unexpected keyword argument"),
        ('"batch, HTTP"', '"batch"', f"an endpoint is unknown or lacks its levels: batch; {BATCH}"),
    ],
)
def test_a_file_that_lacks_a_level_or_has_one_that_can_not_be_is_refused(
    tmp_path: Path, before: str, after: str, what: str
) -> None:
    file = tmp_path / "levels.toml"
    file.write_text(levels_with(before, after))
    with pytest.raises(ValueError, match=re.escape(f"{file}: {what}")):
        read_levels(file)


@pytest.mark.parametrize("share", ["5", "-0.1", "nan", "true"])
def test_a_share_that_is_none_is_refused(tmp_path: Path, share: str) -> None:
    file = tmp_path / "levels.toml"
    file.write_text(levels_with("errors = 0.0", f"errors = {share}"))
    with pytest.raises(ValueError, match=r"endpoints\..*\.errors: Input should be"):
        read_levels(file)


def levels_with(before: str, after: str) -> str:
    content = LEVELS_FILE.read_text(encoding="utf-8")
    assert before in content
    return content.replace(before, after, 1)

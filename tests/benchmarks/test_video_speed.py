from itertools import islice
from pathlib import Path

import pytest

from benchmarks.clips import write_clip
from benchmarks.video_speed import VideoCost, as_rows, interval_row, repeated, talking_heads
from emotion.video.probe import probe
from emotion.video.settings import VideoLimits


def test_row_tells_speed_cost_a_minute_and_memory() -> None:
    head, row = as_rows([VideoCost("clip", 120.0, 8.0, 6.0, 300 * 2**20)])
    assert row.split() == ["clip", "120.0", "15.0", "4.0", "3.0", "300"]
    assert len(head) == len(row)


def test_a_row_of_an_interval_tells_cost_a_minute() -> None:
    row = interval_row({"name": "clip", "interval": 0.5, "cpu": 6.0, "seconds": 120.0})
    assert row.split() == ["clip", "0.5", "s", "3.0", "CPU", "s", "a", "minute"]


def test_a_clip_several_times_over_is_as_much_longer(tmp_path: Path) -> None:
    one, more = tmp_path / "one.mp4", tmp_path / "more.mp4"
    write_clip(one, islice(talking_heads(1), 15), 30, bf="0")
    repeated(one, 4, more)
    single, fourfold = (probe(path, VideoLimits()).duration for path in (one, more))
    assert fourfold == pytest.approx(4 * single, abs=0.01)

from pathlib import Path

import pytest

from benchmarks.job_throughput import Run, as_rows, measure, speed_up
from tests.clips import steady, walking, write_clip


def test_row_tells_rate_cost_of_a_job_and_cores() -> None:
    head, row = as_rows([Run(workers=3, jobs=12, wall=40.0, cpu=60.0)])
    assert row.split() == ["3", "12", "40.0", "18.0", "5.00", "1.50"]
    assert len(head) == len(row)


def test_the_gain_is_that_of_the_median_rates() -> None:
    alone = [Run(1, 10, wall, 1.0) for wall in (10.0, 12.0, 100.0)]
    together = [Run(3, 10, wall, 1.0) for wall in (6.0, 1.0, 7.0)]
    assert speed_up([*together, *alone]) == pytest.approx(2.0)


def test_workers_do_jobs_and_their_time_is_taken(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", walking(20), steady(10, 2))
    run = measure([clip], workers=1, jobs=2)
    assert (run.workers, run.jobs) == (1, 2)
    assert min(run.wall, run.cpu) > 0

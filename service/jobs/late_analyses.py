"""Analyses that are made for the first job: a worker that waits stays small."""

from collections.abc import Callable
from pathlib import Path

from service.jobs.job import Job
from service.jobs.work import Analyses, Analysis


class LateAnalyses:
    """``service.jobs.work.Analyses``."""

    def __init__(self, make: Callable[[], Analyses]) -> None:
        """Make nothing yet."""
        self._make = make
        self._made: Analyses | None = None

    def open(self, path: Path, job: Job, should_stop: Callable[[], bool]) -> Analysis:
        """Open a job; see the protocol."""
        if self._made is None:
            self._made = self._make()
        return self._made.open(path, job, should_stop)

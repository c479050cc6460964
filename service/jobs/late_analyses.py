"""Analyses that are made for the first video: a worker that waits stays small."""

from collections.abc import Callable
from pathlib import Path

from service.jobs.job import Analyses, Analysis
from service.jobs.videos import Video


class LateAnalyses:
    """``service.jobs.job.Analyses``."""

    def __init__(self, make: Callable[[], Analyses]) -> None:
        """Make nothing yet."""
        self._make = make
        self._made: Analyses | None = None

    def open(self, path: Path, video: Video, should_stop: Callable[[], bool]) -> Analysis:
        """Open a video; see the protocol."""
        if self._made is None:
            self._made = self._make()
        return self._made.open(path, video, should_stop)

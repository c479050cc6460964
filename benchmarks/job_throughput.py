"""``python -m benchmarks.job_throughput``: how much more three workers do than one.

Real workers as they are run (``python -m service.worker``) on a data folder of their own, with
jobs that have nothing to do with each other. Each worker is bound to one core, in turn, as where it
has a core's quota: unbound, one worker keeps two busy for moments (one decodes while the other
looks for faces), which hides what a second adds. Starting and loading models is left out: each
worker has done a job before the time is taken. One worker and three take turns; clips are the
shared ones, each looped to about the same length, or drawn where there are none; the longest jobs
come first, so that the end of a run is not one worker's alone.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil

from benchmarks.clips import grainy, write_clip
from benchmarks.measured import results_option, write_figures
from benchmarks.video_speed import repeated, talking_heads
from emotion.video.probe import probe
from emotion.video.settings import VideoLimits, VideoSettings
from service.jobs.desk import Desk
from service.jobs.job import ENDED, LOCAL, Job, Kind, State
from service.jobs.opened import OpenedFolder, opened_folder
from service.jobs.uploads import Upload
from service.settings import Settings

_CLIPS = Path("../shared/data/videos")
_SECONDS, _RATE = 30, 30
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """What some workers did.

    Attributes:
        workers: how many.
        jobs: that they did.
        wall: seconds from the first one's arrival to the last one's end.
        cpu: seconds of processor time of all workers meanwhile.
    """

    workers: int
    jobs: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Jobs a minute."""
        return 60 * self.jobs / self.wall

    @property
    def cores(self) -> float:
        """Cores that the workers had, of those there are."""
        return self.cpu / self.wall


def clips(folder: Path) -> list[Path]:
    """Make the clips, each of about as many seconds."""
    found = sorted(path for path in _CLIPS.glob("*") if path.suffix in (".mov", ".mp4"))
    if not found:
        drawn = folder / "drawn.mp4"
        write_clip(drawn, grainy(talking_heads(_SECONDS)), _RATE, bf="0")
        return [drawn]
    made = []
    for path in found:
        made.append(folder / f"{path.stem}.mp4")
        length = probe(path, VideoLimits()).duration
        repeated(path, max(1, round(_SECONDS / length)), made[-1])
    return made


@contextmanager
def running(home: Path, count: int) -> Iterator[list[psutil.Process]]:
    """Run workers while the block runs, each bound to a core."""
    cores = sorted(os.sched_getaffinity(0))
    environment = {**os.environ, "RAPT_HOME": str(home), "RAPT_MIN_FREE_BYTES": "0"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "service.worker"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            preexec_fn=partial(os.sched_setaffinity, 0, {core}),  # noqa: PLW1509  # no threads here
        )
        for core in islice(cycle(cores), count)
    ]
    try:
        yield [psutil.Process(worker.pid) for worker in workers]
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait()


def send(desk: Desk, clip: Path) -> str:
    """Send a job; return its id."""

    async def content() -> AsyncIterator[bytes]:
        yield clip.read_bytes()

    upload = Upload(Kind.VIDEO, content(), None, clip.name, asdict(VideoSettings()), None)
    return asyncio.run(desk.accept(LOCAL, upload)).id


def wait(desk: Desk, ids: Sequence[str]) -> list[Job]:
    """Wait until jobs have ended.

    Raises:
        ClickException: one has failed.
    """
    left = set(ids)
    while left:
        time.sleep(_LOOK_SECONDS)
        left = {one for one in left if desk.get(LOCAL, Kind.VIDEO, one).state not in ENDED}
    ended = [desk.get(LOCAL, Kind.VIDEO, one) for one in ids]
    for job in ended:
        if job.state is not State.DONE:
            raise click.ClickException(f"{job.name}: {job.state}: {job.error}")
    return ended


def warm_up(folder: OpenedFolder, desk: Desk, clip: Path, workers: int) -> None:
    """Have each worker do a job."""
    while len(folder.executors.alive()) < workers:
        time.sleep(_LOOK_SECONDS)
    wait(desk, [send(desk, clip) for _ in range(2 * workers)])


def measure(files: Sequence[Path], workers: int, jobs: int) -> Run:
    """Have workers do jobs, in a home of their own."""
    with TemporaryDirectory() as name:
        settings = Settings(home=Path(name), min_free_bytes=0)
        with running(settings.home, workers) as processes, opened_folder(settings) as folder:
            desk = Desk(folder, settings)
            warm_up(folder, desk, min(files, key=size_of), workers)
            before = cpu_of(processes)
            chosen = sorted(islice(cycle(files), jobs), key=size_of, reverse=True)
            ended = wait(desk, [send(desk, clip) for clip in chosen])
            cpu = cpu_of(processes) - before
        begun = min(job.queued_at or 0.0 for job in ended)
        return Run(workers, jobs, max(job.ended_at or 0.0 for job in ended) - begun, cpu)


def size_of(clip: Path) -> int:
    """Return a clip's bytes, which go with the work that it is."""
    return clip.stat().st_size


def cpu_of(processes: Sequence[psutil.Process]) -> float:
    """Return the seconds of processor time that processes took so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def as_rows(runs: Sequence[Run]) -> list[str]:
    """Return the table's lines."""
    head = (
        f"{'workers':>7}{'jobs':>6}{'wall s':>8}{'jobs a minute':>15}{'CPU s a job':>13}"
        f"{'cores':>7}"
    )
    rows = [
        f"{one.workers:>7}{one.jobs:>6}{one.wall:>8.1f}{one.rate:>15.1f}"
        f"{one.cpu / one.jobs:>13.2f}{one.cores:>7.2f}"
        for one in runs
    ]
    return [head, *rows]


def speed_up(runs: Sequence[Run]) -> float:
    """Return how many times the rate of the fewest workers the most have; of medians."""
    fewest, most = (pick(one.workers for one in runs) for pick in (min, max))
    few, many = (
        statistics.median(one.rate for one in runs if one.workers == count)
        for count in (fewest, most)
    )
    return many / few


@click.command()
@click.option("--jobs", default=12, show_default=True, help="Jobs of each run.")
@click.option("--workers", default=3, show_default=True, help="To compare with one.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each.")
@results_option
def main(jobs: int, workers: int, rounds: int, results: Path) -> None:
    """Print what one worker and several do, and write the figures as JSON."""
    with TemporaryDirectory() as name:
        files = clips(Path(name))
        runs = [measure(files, count, jobs) for _ in range(rounds) for count in (1, workers)]
    click.echo("\n".join(as_rows(runs)))
    click.echo(f"{workers} workers do {speed_up(runs):.2f} times as much as one.")
    write_figures(
        results, "job_throughput", {"runs": [asdict(one) for one in runs], "ratio": speed_up(runs)}
    )


if __name__ == "__main__":
    main()

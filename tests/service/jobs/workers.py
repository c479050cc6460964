"""Worker processes as they are, but for the models, and a desk that sends them jobs."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import update

from service.database.tables import jobs
from service.jobs.desk import Desk
from service.jobs.job import LOCAL, Job, Kind, Priority, State
from service.jobs.opened import OpenedFolder, opened_folder
from service.jobs.uploads import Upload
from service.settings import Settings
from tests.service.kept import variables_of

PROJECT = Path(__file__).parents[3]
FAKE = "tests.service.jobs.fake_worker"


@dataclass
class Worker:
    """A worker process, and the lines that it wrote so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def wrote(self, words: str) -> bool:
        return any(words in line for line in list(self.lines))


@contextmanager
def worker(settings: Settings, module: str = FAKE, **variables: str) -> Iterator[Worker]:
    """Run a worker while the block runs."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAPT_")}
    own = {
        "PYTHONPATH": str(PROJECT),
        **variables_of(settings),
        "RAPT_WORKER_STALE_SECONDS": str(settings.worker_stale_seconds),
        "RAPT_MIN_FREE_BYTES": "0",
        "RAPT_STORAGE_TRIES": "3",
        "RAPT_DETECTOR_PRECISION": "f32",
    }
    process = subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-m", module],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**inherited, **own, **variables},
    )
    one = Worker(process)
    reader = threading.Thread(target=_read, args=(one,))
    reader.start()
    try:
        yield one
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def restarted_worker(settings: Settings, **variables: str) -> Iterator[None]:
    """Run a worker while the block runs, and another of its name whenever it has ended."""
    over = threading.Event()

    def keep() -> None:
        while not over.is_set():
            with worker(settings, **variables) as one:
                while one.process.poll() is None and not over.wait(0.02):
                    pass

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


@dataclass(frozen=True)
class Office:
    """A desk, and the folder behind it."""

    folder: OpenedFolder
    desk: Desk

    def send(
        self, content: bytes, priority: Priority = Priority.NORMAL, webhook: str | None = None
    ) -> str:
        """Send a job; return its id."""

        async def pieces() -> AsyncIterator[bytes]:
            yield content

        settings = {"interval": 0.5, "segment_seconds": 1.0}
        upload = Upload(Kind.VIDEO, pieces(), None, "party.mp4", settings, None, priority, webhook)
        return asyncio.run(self.desk.accept(LOCAL, upload)).id

    def set_time(self, job_id: str) -> None:
        """Have a job come from 1970: reports say when it came."""
        with self.folder.database.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(created_at=0.0))

    def get(self, job_id: str) -> Job:
        return self.desk.get(LOCAL, Kind.VIDEO, job_id)

    def wait(self, job_id: str, *states: State, seconds: float = 60) -> Job:
        """Wait until a job is in one of some states."""
        until(lambda: self.get(job_id).state in states, seconds, lambda: self.get(job_id))
        return self.get(job_id)

    def reports(self, job_id: str) -> list[bytes]:
        return [
            self.desk.report(LOCAL, Kind.VIDEO, job_id, form) for form in ("json", "csv", "html")
        ]


@contextmanager
def office(settings: Settings, job_id: str | None = None) -> Iterator[Office]:
    """Open an office; the id of its next job may be told."""
    with opened_folder(settings) as folder:
        if job_id is None:
            yield Office(folder, Desk(folder, settings))
        else:
            yield Office(folder, Desk(folder, settings, lambda: job_id))


def until(
    true: Callable[[], bool], seconds: float = 30, seen: Callable[[], object] = lambda: ""
) -> None:
    """Wait for something outside this process that can't call back."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s {seen()}"
        time.sleep(0.02)


def _read(one: Worker) -> None:
    assert one.process.stdout is not None
    one.lines.extend(iter(one.process.stdout.readline, ""))

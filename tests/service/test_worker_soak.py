"""Three workers, forty jobs, and whatever can go wrong with machines in the meantime."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from emotion.reports.formats import FORMATS
from service.jobs.job import Job, State
from service.settings import Settings
from service.storage_errors import StorageUnavailable
from tests.postgres_server import PostgresServer, running_postgres
from tests.s3_server import JOBS_BUCKET, S3Server, s3_server
from tests.service.jobs.fake_analyses import MODEL, fake_video
from tests.service.jobs.workers import Office, Worker, office, worker
from tests.service.kept import kept_on, keys_of, make_template

_JOBS, _WORKERS, _SEGMENTS = 40, 3, 5
_KILL_EVERY = 3.0  # Seconds.
_AWAY_SECONDS = 20.0
_MOST_SECONDS = 1200.0


@pytest.fixture
def servers(
    default_settings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[PostgresServer, S3Server]]:
    """Of this test alone, since it stops them."""
    (tmp_path / "s3").mkdir()
    with running_postgres() as postgres, s3_server(tmp_path / "s3") as s3:
        make_template(postgres)
        s3.make_bucket(JOBS_BUCKET, {"made": b""})
        with kept_on(postgres, s3, monkeypatch):
            yield postgres, s3


@contextmanager
def crew_that_is_killed(settings: Settings, count: int) -> Iterator[list[Worker]]:
    """Keep workers running while the block runs, and kill one every few seconds."""
    ending = threading.Event()
    ever: list[Worker] = []
    chance = random.Random(6)  # noqa: S311  # the same each time

    def run_one(number: int) -> None:
        ending.wait(number * _KILL_EVERY)
        while not ending.is_set():
            with worker(settings, RAPT_STORAGE_TRIES="9") as one:
                ever.append(one)
                # Each lives for a while after it has begun to work, however slow its start.
                # One that starts while a server is away ends at once, and is started again.
                while not (one.wrote("worker_started") or one.process.poll() is not None):
                    ending.wait(0.1)
                ending.wait(count * _KILL_EVERY * chance.uniform(0.5, 1.5))

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield ever
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def jobs_of(desk: Office, ids: list[str]) -> list[Job] | None:
    """The jobs, or None while the database is away."""
    try:
        return [desk.get(job_id) for job_id in ids]
    except StorageUnavailable:
        return None


def done_of(desk: Office, ids: list[str]) -> int:
    return sum(job.state is State.DONE for job in jobs_of(desk, ids) or ())


def wait_for(desk: Office, ids: list[str], count: int) -> None:
    end = time.monotonic() + _MOST_SECONDS
    while done_of(desk, ids) < count:
        assert time.monotonic() < end, f"{done_of(desk, ids)} of {count}: {jobs_of(desk, ids)}"
        time.sleep(0.5)


def wait_until_tidy(settings: Settings, count: int) -> list[str]:
    """Wait until nothing but reports is left, and return the keys."""
    end = time.monotonic() + 120
    while len(keys_of(settings)) != count and time.monotonic() < end:
        time.sleep(0.5)
    return keys_of(settings)


def expected(job_id: str) -> list[bytes]:
    """The reports of a job that nothing happened to."""
    version = MODEL.version.encode()
    seen = b"".join(b"\nsegment %d by %s" % (number, version) for number in range(_SEGMENTS))
    return [f"{form} of {job_id}".encode() + seen for form in FORMATS]


@pytest.mark.soak
@pytest.mark.timeout(2 * _MOST_SECONDS)
def test_no_report_is_missing_wrong_or_there_twice_whatever_is_killed_or_away(
    servers: tuple[PostgresServer, S3Server],
) -> None:
    postgres, s3 = servers
    settings = Settings(worker_stale_seconds=5.0)
    with ExitStack() as held:
        desk = held.enter_context(office(settings))
        ids = [
            desk.send(fake_video(segments=_SEGMENTS, seconds=0.2, padding=number * 2**18))
            for number in range(_JOBS)
        ]
        ever = held.enter_context(crew_that_is_killed(settings, _WORKERS))
        wait_for(desk, ids, _JOBS // 5)
        postgres.stop()
        time.sleep(2.0)
        postgres.start()
        wait_for(desk, ids, 2 * _JOBS // 5)
        s3.stop()
        time.sleep(_AWAY_SECONDS)
        assert s3.start()
        wait_for(desk, ids, _JOBS)
        keys = wait_until_tidy(settings, _JOBS * len(FORMATS))
        reports = {job_id: desk.reports(job_id) for job_id in ids}
    assert reports == {job_id: expected(job_id) for job_id in ids}
    assert len(keys) == _JOBS * len(FORMATS)
    assert len(ever) > 2 * _WORKERS

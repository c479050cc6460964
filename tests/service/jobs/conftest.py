from collections.abc import Callable, Iterator

import pytest

from service.jobs.claims import Claims
from service.jobs.job import LOCAL, Job, Kind
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder, opened_folder
from service.settings import Settings
from tests.service.kept import Where

MakeVideo = Callable[[str], Job]


@pytest.fixture
def settings(kept: Where) -> Settings:
    """Of an empty home, or of an empty database and bucket."""
    return Settings(worker_stale_seconds=2.0, min_free_bytes=0)


@pytest.fixture
def folder(settings: Settings) -> Iterator[OpenedFolder]:
    with opened_folder(settings) as opened:
        yield opened


@pytest.fixture
def ledger(folder: OpenedFolder) -> Ledger:
    return folder.ledger


@pytest.fixture
def claims(folder: OpenedFolder) -> Claims:
    return Claims(folder.database, "worker-1")


@pytest.fixture
def queued(ledger: Ledger) -> MakeVideo:
    """Makes the row of a job that has arrived."""

    def make(job_id: str) -> Job:
        job = ledger.reserve(
            LOCAL,
            Kind.VIDEO,
            id=job_id,
            name="a.mp4",
            settings={"interval": 0.5},
            idempotency_key=None,
        )
        ledger.received(job, 10, "ab" * 32)
        return ledger.get(LOCAL, Kind.VIDEO, job_id)

    return make

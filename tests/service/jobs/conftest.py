from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.jobs.claims import Claims
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder, opened_folder
from service.jobs.videos import LOCAL, Video
from service.settings import Settings

MakeVideo = Callable[[str], Video]


@pytest.fixture
def settings() -> Settings:
    """Of an empty home."""
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
    """Makes the row of a video that has arrived."""

    def make(video_id: str) -> Video:
        video = ledger.reserve(
            LOCAL, id=video_id, name="a.mp4", settings={"interval": 0.5}, idempotency_key=None
        )
        ledger.received(video, 10, "ab" * 32)
        return ledger.get(LOCAL, video_id)

    return make


@pytest.fixture
def objects(settings: Settings) -> Path:
    """Where objects lie."""
    return settings.data_folder.objects

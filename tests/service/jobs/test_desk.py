"""What the desk answers where storage fails for a moment, or an upload's row is gone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from service.database.connection import Database
from service.jobs.desk import Desk
from service.jobs.errors import JobConflict
from service.jobs.executors import Executors
from service.jobs.job import LOCAL, Job, Kind, Owner, State
from service.jobs.ledger import Ledger
from service.jobs.opened import OpenedFolder
from service.jobs.requests import JobRequest
from service.jobs.uploads import Upload
from service.settings import Settings
from service.storage_errors import StorageUnavailable
from tests.service.jobs.fake_analyses import fake_video
from tests.service.kept import objects_of

VIDEO = fake_video()


class UnreadableLedger(Ledger):
    """Writes, and finds nothing out."""

    def get(self, owner: Owner, kind: Kind, job_id: str) -> Job:
        raise StorageUnavailable(f"{owner} {kind} {job_id}")


def upload_of(chunks: AsyncIterator[bytes]) -> Upload:
    return Upload(Kind.VIDEO, chunks, None, "party.mp4", {"interval": 0.5}, None)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for one in content:
        yield one


@pytest.fixture
def unreadable(folder: OpenedFolder) -> OpenedFolder:
    return replace(folder, ledger=UnreadableLedger(folder.database))


def test_what_has_arrived_is_told_without_another_look(
    unreadable: OpenedFolder, settings: Settings
) -> None:
    job = asyncio.run(Desk(unreadable, settings).accept(LOCAL, upload_of(pieces(VIDEO))))
    assert (job.state, job.name, job.size) == (State.QUEUED, "party.mp4", len(VIDEO))
    assert job.queued_at is not None


def test_what_is_asked_for_is_told_without_another_look(
    unreadable: OpenedFolder, settings: Settings
) -> None:
    own = settings.model_copy(update={"sources": "s3://inbox/"})
    job = Desk(unreadable, own).request(LOCAL, JobRequest(Kind.VIDEO, "s3://inbox/a.mp4"))
    assert (job.state, job.uri) == (State.QUEUED, "s3://inbox/a.mp4")


def test_where_nobody_can_say_workers_are_thought_alive(
    folder: OpenedFolder, settings: Settings
) -> None:
    assert not Desk(folder, settings).is_worked_on()
    away = Executors(Database("sqlite:////nowhere/rapt.db"), 2.0)
    assert Desk(replace(folder, executors=away), settings).is_worked_on()


def test_an_upload_whose_row_is_gone_meanwhile_is_to_be_sent_again(
    folder: OpenedFolder, settings: Settings
) -> None:
    async def forgotten() -> AsyncIterator[bytes]:
        yield VIDEO
        (job,) = await asyncio.to_thread(folder.ledger.in_states, [State.RECEIVING], 1)
        await asyncio.to_thread(folder.ledger.forget, job)

    with pytest.raises(JobConflict, match=r"Send it again\.$"):
        asyncio.run(Desk(folder, settings).accept(LOCAL, upload_of(forgotten())))
    assert objects_of(settings) == []

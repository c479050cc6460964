"""What a real worker's steward leaves in files, and when one takes an upload for abandoned."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update

from service.database.tables import jobs
from service.jobs.job import LOCAL, Kind, State
from service.jobs.opened import OpenedFolder
from service.jobs.signs import WATCHED_SECONDS
from service.jobs.steward import Steward
from service.jobs.vigil import Vigil
from service.jobs.workflow import Workflows
from service.settings import Settings
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import office, until, worker
from tests.service.kept import objects_of


class NoWorkflows(Workflows):
    """Of no worker: DBOS isn't begun."""

    def __init__(self) -> None:
        self.executor = "worker-1"


@dataclass
class Sweeping:
    """A steward that sweeps at some second of its life."""

    folder: OpenedFolder
    settings: Settings
    second: int = 0

    def __post_init__(self) -> None:
        vigils = Vigil(2.0), Vigil(WATCHED_SECONDS, lambda: self.second)
        self.steward = Steward(self.folder, NoWorkflows(), self.settings, *vigils)

    def sweep_at(self, *seconds: int) -> None:
        for self.second in seconds:
            self.steward.sweep()


@pytest.fixture
def sweeping(folder: OpenedFolder, settings: Settings) -> Sweeping:
    """Beside an upload of which nobody has said for long that it arrives."""
    arriving = folder.ledger.reserve(
        LOCAL, Kind.VIDEO, id="a", name=None, settings={}, idempotency_key=None
    )
    folder.store.write(arriving.source, b"part")
    with folder.database.begin() as connection:
        connection.execute(update(jobs).values(arriving_at=0.0))
    return Sweeping(folder, settings)


def files_with(settings: Settings, content: str) -> list[str]:
    """The files of the data folder in which some text can be read."""
    # By another process: where this one closes a file of SQLite's, it loses its locks on it.
    command = ["grep", "-rlaFs", content, str(settings.data_folder.path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    return [Path(line).name for line in found.stdout.splitlines()]


@pytest.mark.parametrize("kept", ["local"], indirect=True)
def test_nothing_of_a_deleted_job_can_be_read_in_any_file(
    settings: Settings,
) -> None:
    with office(settings) as desk, worker(settings):
        job_id = desk.send(fake_video())
        desk.wait(job_id, State.DONE)
        assert files_with(settings, "party.mp4") != []
        desk.desk.delete(LOCAL, Kind.VIDEO, job_id)
        until(lambda: files_with(settings, "party.mp4") == [])
        until(lambda: not {"rapt.db", "rapt.db-wal"} & set(files_with(settings, job_id)))


def test_an_upload_without_signs_is_swept_once_senders_had_time_to_give_one(
    sweeping: Sweeping,
) -> None:
    sweeping.sweep_at(*range(0, 40, 10))
    assert objects_of(sweeping.settings) == ["source"]
    sweeping.sweep_at(40)
    assert objects_of(sweeping.settings) == []
    assert sweeping.folder.ledger.in_states(list(State), 10) == []


def test_senders_have_that_time_again_after_the_database_was_away(sweeping: Sweeping) -> None:
    sweeping.folder.ledger.still_arrives(sweeping.folder.ledger.get(LOCAL, Kind.VIDEO, "a"))
    sweeping.sweep_at(*range(0, 100, 10))
    with sweeping.folder.database.begin() as connection:
        connection.execute(update(jobs).values(arriving_at=0.0))
    sweeping.sweep_at(*range(161, 201, 10))
    assert objects_of(sweeping.settings) == ["source"]
    sweeping.sweep_at(201)
    assert objects_of(sweeping.settings) == []

"""What a real worker's steward leaves in files."""

import subprocess
from pathlib import Path

import pytest

from service.jobs.job import LOCAL, Kind, State
from service.settings import Settings
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import office, until, worker


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

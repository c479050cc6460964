"""What happens on a disk that is full: run in a file system of a few MB, the home's.

Prints what came of it, a line each.
"""

import time
from contextlib import suppress
from pathlib import Path

from service.jobs.job import LOCAL, Kind, State
from service.settings import Settings
from service.storage_errors import StorageFull
from tests.e2e.servers import files_of
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import Office, office, worker


def upload_what_does_not_fit(settings: Settings, desk: Office) -> None:
    try:
        desk.send(fake_video(padding=64 * 2**20))
    except StorageFull as error:
        print(error.message)  # noqa: T201  # for the test
    print(files_of(settings.data_folder.objects), desk.desk.page(LOCAL, Kind.VIDEO, 5, None))  # noqa: T201


def fill_the_disk_in_the_middle(settings: Settings, desk: Office) -> None:
    ballast = settings.home / "ballast"
    job_id = desk.send(fake_video(segments=4, seconds=0.5))
    with worker(settings, RAPT_STORAGE_TRIES="2") as one:
        while desk.get(job_id).segments_done < 1:
            time.sleep(0.02)
        _fill(ballast)
        while not one.wrote("storage_failed"):
            time.sleep(0.02)
        time.sleep(3.0)
        ballast.unlink()
        job = desk.wait(job_id, State.DONE, State.FAILED)
        print(job.state, job.error)  # noqa: T201  # for the test
        print(desk.wait(desk.send(fake_video()), State.DONE).state)  # noqa: T201


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


if __name__ == "__main__":
    chosen = Settings(worker_stale_seconds=2.0, min_free_bytes=0)
    with office(chosen) as opened:
        upload_what_does_not_fit(chosen, opened)
        fill_the_disk_in_the_middle(chosen, opened)

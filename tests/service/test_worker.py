"""Real worker processes on real rows and objects; only what a video shows is made up."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from service.data_folder import DataFolder
from service.database.tables import jobs
from service.jobs.job import LOCAL, Kind, State
from service.settings import Settings
from tests.service.jobs.databases import lose_rows_of_dbos, rows_of_dbos, stop_between_writes
from tests.service.jobs.fake_analyses import MODEL, fake_video
from tests.service.jobs.workers import PROJECT, Office, office, until, worker
from tests.service.kept import REMOTE_IN_SOAK, Where, objects_of

IN_A_FOLDER = pytest.mark.parametrize("kept", ["local"], indirect=True)
UNEXPECTED = "The work ended by an error of ours that nobody expected; the worker's log has it."


@pytest.fixture
def settings(kept: Where) -> Settings:
    return Settings(worker_stale_seconds=2.0, min_free_bytes=0)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Office]:
    with office(settings) as one:
        yield one


def undisturbed(home: Path, video_id: str, video: bytes) -> list[bytes]:
    """The reports of a video that nothing happened to, in a folder of its own."""
    settings = Settings(
        home=home,
        database_url=SecretStr(""),
        storage_url="",
        worker_stale_seconds=2.0,
        min_free_bytes=0,
    )
    with office(settings, video_id) as one, worker(settings):
        one.send(video)
        one.wait(video_id, State.DONE)
        return one.reports(video_id)


def test_a_video_becomes_a_report_and_the_upload_is_deleted(
    settings: Settings, desk: Office
) -> None:
    with worker(settings):
        video_id = desk.send(fake_video(segments=3))
        video = desk.wait(video_id, State.DONE)
        until(lambda: objects_of(settings) == ["report.csv", "report.html", "report.json"])
        until(lambda: desk.get(video_id).source_deleted_at is not None)
    assert (video.segments_total, video.segments_done, video.model) == (3, 3, MODEL)
    assert desk.reports(video_id)[1] == (
        f"csv of {video_id}\nsegment 0 by fake-1\nsegment 1 by fake-1\nsegment 2 by fake-1".encode()
    )


def test_an_upload_is_kept_where_settings_say_so(settings: Settings, desk: Office) -> None:
    with worker(settings, RAPT_KEEP_SOURCES="true"):
        video_id = desk.send(fake_video())
        until(lambda: desk.get(video_id).source_deleted_at is not None)
    assert "source" in objects_of(settings)


@REMOTE_IN_SOAK
@pytest.mark.parametrize(
    "kills", [2, pytest.param(10, marks=pytest.mark.soak)], ids=["twice", "ten-times"]
)
def test_a_worker_that_is_killed_leaves_a_report_as_if_nothing_had_happened(
    settings: Settings, desk: Office, tmp_path: Path, kills: int
) -> None:
    chance = random.Random(kills)  # noqa: S311  # the same each time
    video = fake_video(segments=8 * kills, seconds=0.25)
    video_id = desk.send(video)
    for _ in range(kills):
        with worker(settings) as one:
            until(lambda one=one: one.wrote("job_taken"))  # type: ignore[misc]  # one is bound
            time.sleep(chance.uniform(0.0, 1.0))
    with worker(settings):
        done = desk.wait(video_id, State.DONE)
        until(lambda: objects_of(settings) == ["report.csv", "report.html", "report.json"])
    assert done.fence == kills + 1
    assert desk.reports(video_id) == undisturbed(tmp_path / "calm", video_id, video)


@REMOTE_IN_SOAK
def test_a_stopped_workers_video_is_taken_up_and_what_it_writes_later_is_refused(
    settings: Settings, desk: Office, tmp_path: Path
) -> None:
    # A machine that stands still for seconds makes neither a dead one.
    patient = {"RAPT_WORKER_STALE_SECONDS": "6.0"}
    go = tmp_path / "go"
    video_id = desk.send(fake_video(segments=16, seconds=0.5))
    with worker(settings, **patient) as first:
        until(lambda: desk.get(video_id).segments_done >= 1)
        stop_between_writes(first, settings)
        with worker(settings, **patient) as second:
            done = desk.wait(video_id, State.DONE)
            reports = desk.reports(video_id)
            first.process.send_signal(signal.SIGCONT)
            # Both go on working: the first has let go. Neither can have both.
            waiting = fake_video(segments=2, waits_for=str(go))
            others = [desk.send(waiting) for _ in range(2)]
            until(lambda: all(any(map(one.wrote, others)) for one in (first, second)))
            go.touch()
            for other in others:
                desk.wait(other, State.DONE)
    assert (done.fence, done.report_fence) == (2, 2)
    assert desk.get(video_id) == replace(done, source_deleted_at=ANY)
    assert desk.reports(video_id) == reports


@REMOTE_IN_SOAK
def test_told_to_end_a_worker_hands_back_at_once_and_the_next_goes_on(
    settings: Settings, desk: Office
) -> None:
    video_id = desk.send(fake_video(segments=2, seconds=3.0))
    with worker(settings) as first:
        until(lambda: desk.get(video_id).segments_done == 1)
        began = time.monotonic()
        first.process.terminate()
        assert first.process.wait(20) == 0
        assert time.monotonic() - began < 10
    assert desk.get(video_id).state is State.QUEUED
    assert desk.folder.executors.alive() == set()
    with worker(settings) as second:
        done = desk.wait(video_id, State.DONE)
    assert done.fence == 2
    assert not second.wrote("workers_dead")


def test_a_cancelled_video_is_left_within_its_segment(settings: Settings, desk: Office) -> None:
    video_id = desk.send(fake_video(segments=1, seconds=60))
    with worker(settings) as one:
        desk.wait(video_id, State.RUNNING)
        until(lambda: one.wrote("job_taken"))
        desk.desk.cancel(LOCAL, Kind.VIDEO, video_id)
        until(lambda: one.wrote("job_lost"))
        until(lambda: objects_of(settings) == [])
        desk.wait(desk.send(fake_video()), State.DONE)
    assert desk.get(video_id).state is State.CANCELLED


def test_a_deleted_video_leaves_nothing_even_while_it_is_worked_on(
    settings: Settings, desk: Office
) -> None:
    video_id = desk.send(fake_video(segments=60, seconds=0.5))
    with worker(settings) as one:
        until(lambda: desk.get(video_id).segments_done >= 1)
        assert rows_of_dbos(settings, video_id) > 0
        desk.desk.delete(LOCAL, Kind.VIDEO, video_id)
        until(lambda: one.wrote("job_erased"))
    assert objects_of(settings) == []
    assert rows_of_dbos(settings, video_id) == 0
    assert desk.folder.ledger.in_states(list(State), 10) == []


@REMOTE_IN_SOAK
@pytest.mark.parametrize(
    ("trouble", "why"),
    [("fails_at", "The video is damaged here."), ("bug_at", UNEXPECTED)],
)
def test_why_a_video_failed_is_noted_and_the_next_goes_on(
    settings: Settings, desk: Office, trouble: str, why: str
) -> None:
    with worker(settings):
        video_id = desk.send(fake_video(segments=3, **{trouble: 1}))
        failed = desk.wait(video_id, State.FAILED)
        desk.wait(desk.send(fake_video()), State.DONE)
    assert (failed.error, failed.segments_done) == (why, 1)


def block_reports(settings: Settings, video_id: str) -> Path:
    """Have a file where the folder of a video's reports would be."""
    folder = settings.data_folder.objects / "local" / "unspecified" / "videos" / video_id
    (folder / "reports").write_bytes(b"in the way")
    return folder / "reports"


@IN_A_FOLDER
def test_storage_that_fails_for_a_while_is_asked_again(settings: Settings, desk: Office) -> None:
    video_id = desk.send(fake_video(segments=2))
    obstacle = block_reports(settings, video_id)
    with worker(settings) as one:
        until(lambda: one.wrote("storage_failed"))
        obstacle.unlink()
        assert desk.wait(video_id, State.DONE).fence == 1


@IN_A_FOLDER
def test_storage_that_fails_for_long_fails_the_video_with_a_reason(
    settings: Settings, desk: Office
) -> None:
    video_id = desk.send(fake_video(segments=2))
    block_reports(settings, video_id)
    with worker(settings, RAPT_STORAGE_TRIES="2"):
        failed = desk.wait(video_id, State.FAILED)
    assert failed.error == "The storage didn't answer for too long. Send it again later."


def test_an_upload_that_is_gone_fails_the_video(settings: Settings, desk: Office) -> None:
    video_id = desk.send(fake_video())
    desk.folder.store.erase(desk.get(video_id).source)
    with worker(settings):
        failed = desk.wait(video_id, State.FAILED)
    assert failed.error == "The upload is gone. Send it again."


@REMOTE_IN_SOAK
def test_what_is_old_is_erased(settings: Settings, desk: Office) -> None:
    old = desk.send(fake_video())
    with worker(settings):
        desk.wait(old, State.DONE)
        with desk.folder.database.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.id == old).values(ended_at=0.0))
        until(lambda: desk.folder.ledger.in_states(list(State), 10) == [])
    assert objects_of(settings) == []


@REMOTE_IN_SOAK
def test_rows_that_dbos_has_lost_are_handed_out_again(settings: Settings, desk: Office) -> None:
    video_id = desk.send(fake_video(segments=4, seconds=0.5))
    with worker(settings):
        until(lambda: desk.get(video_id).segments_done >= 1)
    lose_rows_of_dbos(settings)
    with worker(settings):
        assert desk.wait(video_id, State.DONE).fence == 2


@IN_A_FOLDER
def test_a_folder_that_another_installation_holds_is_refused(settings: Settings) -> None:
    with DataFolder.of_home(settings.home).held(), worker(settings, "service.worker") as one:
        assert one.process.wait(60) == 1
        until(lambda: one.wrote("Error: "))
    assert one.lines == [
        f"Error: {settings.data_folder.path} is used by another Rapt. End that one, or set "
        "RAPT_HOME to another folder.\n"
    ]


def test_a_full_disk_leaves_nothing_of_an_upload_and_work_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    # A file system of a few MB, seen by the process alone, and gone with it.
    small = f'mount -t tmpfs -o size=32m tmpfs {tmp_path} && exec "$@"'
    try_out = ["unshare", "-rm", "sh", "-c", small, "sh"]
    if subprocess.run([*try_out, "true"], capture_output=True, check=False).returncode:  # noqa: S603  # our own words
        pytest.skip("needs a file system of its own, which this machine doesn't give")
    environment = {**os.environ, "RAPT_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    ran = subprocess.run(  # noqa: S603  # our own words
        [*try_out, sys.executable, "-m", "tests.service.jobs.full_disk"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-4:] == [
        "The storage is full. Try again when there is room.",
        "[] []",
        "done None",
        "done",
    ]

"""Schedules on a real S3 server, and real workers that look at them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import update

from emotion.errors import InvalidRequest
from service.database.connection import Database
from service.database.tables import schedules as table
from service.jobs.errors import UnknownSchedule
from service.jobs.job import LOCAL, Job, Kind, Owner, State
from service.jobs.ledger import Ledger, new_row
from service.jobs.opened import OpenedFolder
from service.jobs.schedule_desk import ScheduleDesk
from service.jobs.scheduler import Scheduler
from service.jobs.schedules import Schedule, Schedules
from service.settings import Settings
from service.sources import Found, Location, Sources
from tests.service.inbox import Inbox
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import office, until, worker
from tests.service.kept import REMOTE_IN_SOAK, Where

NIGHTLY = "0 3 * * *"


class ManyFiles(Sources):
    """Many that are no videos; at the third, who lists them is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.ending, self.given = threading.Event(), 0

    def below(self, prefix: Location) -> Iterator[Found]:
        for self.given in range(1, 1001):
            if self.given == 3:
                self.ending.set()
            yield Found(prefix.at(f"{self.given}.txt"), 1, "")


@pytest.fixture
def settings(kept: Where, inbox: Inbox) -> Settings:
    return Settings(worker_stale_seconds=2.0, min_free_bytes=0, sources=inbox.uri(""))


@pytest.fixture
def database(folder: OpenedFolder) -> Database:
    return folder.database


def add(desk: ScheduleDesk, prefix: str, cron: str = NIGHTLY) -> Schedule:
    return desk.add(LOCAL, Kind.VIDEO, prefix, cron, {"interval": 0.2})


def make_due(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(update(table).values(next_at=0.0))


def look(database: Database, settings: Settings) -> None:
    """Do as a worker does when a schedule's time has come."""
    ending = threading.Event()
    make_due(database)
    Scheduler(Schedules(database), Ledger(database), Sources(), settings, ending).look()


def uris(database: Database) -> list[str]:
    """Of all jobs."""
    return sorted(job.uri or "" for job in jobs_of(database))


def jobs_of(database: Database) -> list[Job]:
    return Ledger(database).in_states(list(State), 1000)


def test_a_schedule_is_kept_told_and_deleted(database: Database, settings: Settings) -> None:
    desk = ScheduleDesk(database, settings)
    one = add(desk, settings.sources)
    assert desk.of(LOCAL) == [one]
    assert (one.kind, one.cron, one.settings) == (Kind.VIDEO, NIGHTLY, {"interval": 0.2})
    assert (one.next_at % 86_400, one.looked_at, one.error) == (3 * 3600.0, None, None)
    for owner, schedule_id in ((Owner("acme", "unspecified"), one.id), (LOCAL, "0"), (LOCAL, "\0")):
        with pytest.raises(UnknownSchedule):
            desk.get(owner, schedule_id)
    desk.delete(LOCAL, one.id)
    assert desk.of(LOCAL) == []


@pytest.mark.parametrize(
    ("prefix", "asked", "why"),
    [
        ("s3://other/", {}, "below any prefix that may be read"),
        ("", {"interval": 99.0}, "^interval: 99 is not between"),
        ("", {"often": 1.0}, "^settings: 'often' is none of a video"),
        ("a.mp4", {}, "does not end in a slash"),
    ],
)
def test_what_no_job_could_be_made_of_is_refused(
    folder: OpenedFolder, settings: Settings, prefix: str, asked: dict[str, float], why: str
) -> None:
    desk = ScheduleDesk(folder.database, settings)
    uri = prefix if "://" in prefix else f"{settings.sources}{prefix}"
    with pytest.raises(InvalidRequest, match=why):
        desk.add(LOCAL, Kind.VIDEO, uri, NIGHTLY, asked)
    assert desk.of(LOCAL) == []


def test_each_file_becomes_one_job_once(
    database: Database, settings: Settings, inbox: Inbox
) -> None:
    for key in ("in/a.mp4", "in/sub/b.MOV", "in/notes.txt", "in/empty.mp4", "out/c.mp4"):
        inbox.put(key, b"" if "empty" in key else key.encode())
    desk = ScheduleDesk(database, settings)
    one = add(desk, inbox.uri("in/"))
    for _ in range(2):
        look(database, settings)
        assert uris(database) == [inbox.uri("in/a.mp4"), inbox.uri("in/sub/b.MOV")]
    (job, _) = jobs_of(database)
    assert (job.state, job.kind, job.settings["interval"]) == (State.QUEUED, Kind.VIDEO, 0.2)
    assert job.queued_at is not None
    looked = desk.get(LOCAL, one.id)
    assert looked.looked_at is not None
    assert (looked.next_at, looked.error) == (one.next_at, None)


def test_a_file_whose_name_no_uri_can_say_holds_up_no_other(
    database: Database, settings: Settings, inbox: Inbox
) -> None:
    for key in ("in/a.mp4", "in/b\u202f.mp4", "in/c.mp4"):
        inbox.put(key, key.encode())
    desk = ScheduleDesk(database, settings)
    one = add(desk, inbox.uri("in/"))
    look(database, settings)
    assert uris(database) == [inbox.uri("in/a.mp4"), inbox.uri("in/c.mp4")]
    assert desk.get(LOCAL, one.id).error is None


def test_a_file_with_other_content_is_another(
    database: Database, settings: Settings, inbox: Inbox
) -> None:
    add(ScheduleDesk(database, settings), inbox.uri("in/"))
    for content in (b"old", b"new", b"new", b"old"):
        inbox.put("in/a.mp4", content)
        look(database, settings)
    assert uris(database) == [inbox.uri("in/a.mp4")] * 2


def test_a_job_that_was_deleted_is_not_made_again(
    database: Database, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("in/a.mp4", b"a")
    add(ScheduleDesk(database, settings), inbox.uri("in/"))
    look(database, settings)
    Ledger(database).forget(jobs_of(database)[0])
    look(database, settings)
    assert jobs_of(database) == []


def test_two_who_make_a_job_of_one_file_at_once_make_one(
    database: Database, settings: Settings
) -> None:
    schedule = add(ScheduleDesk(database, settings), settings.sources)
    file = Found(Location("s3", "clips", "a.mp4"), 1, "etag")
    both = threading.Barrier(2)

    def queue(number: int) -> bool:
        row = new_row(LOCAL, Kind.VIDEO, id=f"{number}", name=None, settings={}, uri="s3://clips/a")
        both.wait()
        return Schedules(database).queue(schedule, file, row)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(queue, range(2))) == [False, True]
    assert len(jobs_of(database)) == 1


def test_a_turn_is_taken_by_one(database: Database, settings: Settings) -> None:
    schedules = Schedules(database)
    schedule = add(ScheduleDesk(database, settings), settings.sources)
    assert schedules.take(schedule, schedule.next_at + 300)
    assert not schedules.take(schedule, schedule.next_at + 300)


def test_what_is_not_due_is_not_looked_at(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("in/a.mp4", b"a")
    add(ScheduleDesk(folder.database, settings), inbox.uri("in/"))
    schedules = Schedules(folder.database)
    Scheduler(schedules, folder.ledger, Sources(), settings, threading.Event()).look()
    assert jobs_of(folder.database) == []


def test_what_finds_no_room_waits_for_the_next_look(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    for number in range(3):
        inbox.put(f"in/{number}.mp4", b"a")
    desk = ScheduleDesk(folder.database, settings)
    one = add(desk, inbox.uri("in/"))
    look(folder.database, settings.model_copy(update={"max_jobs": 2}))
    assert len(jobs_of(folder.database)) == 2
    waiting = desk.get(LOCAL, one.id)
    assert waiting.looked_at is None
    assert waiting.next_at < one.next_at
    look(folder.database, settings)
    assert len(jobs_of(folder.database)) == 3


def test_a_worker_that_is_to_end_lists_no_further(folder: OpenedFolder, settings: Settings) -> None:
    desk = ScheduleDesk(folder.database, settings)
    one = add(desk, settings.sources)
    make_due(folder.database)
    schedules, sources = Schedules(folder.database), ManyFiles()
    Scheduler(schedules, folder.ledger, sources, settings, sources.ending).look()
    assert sources.given == 3
    waiting = desk.get(LOCAL, one.id)
    assert waiting.looked_at is None
    assert waiting.next_at < one.next_at


def test_why_a_prefix_could_not_be_looked_at_is_noted(
    folder: OpenedFolder, settings: Settings
) -> None:
    desk = ScheduleDesk(folder.database, settings)
    one = add(desk, settings.sources)
    look(folder.database, settings.model_copy(update={"sources": ""}))
    noted = desk.get(LOCAL, one.id)
    assert noted.error is not None
    assert "below any prefix that may be read" in noted.error
    assert noted == replace(one, error=noted.error)


def test_a_store_that_is_away_is_looked_at_again_soon(
    folder: OpenedFolder, settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    desk = ScheduleDesk(folder.database, settings)
    one = add(desk, settings.sources)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
    look(folder.database, settings)
    noted = desk.get(LOCAL, one.id)
    assert noted.error is not None
    assert noted.error.startswith("s3://inbox doesn't answer: ")
    assert noted.next_at < one.next_at


def test_photos_of_a_schedule_are_sets(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    for key in ("in/party.zip", "in/face.JPG", "in/show.mp4"):
        inbox.put(key, b"content")
    desk = ScheduleDesk(folder.database, settings)
    desk.add(LOCAL, Kind.PHOTOS, inbox.uri("in/"), NIGHTLY, {})
    look(folder.database, settings)
    assert uris(folder.database) == [inbox.uri("in/face.JPG"), inbox.uri("in/party.zip")]
    assert {job.kind for job in jobs_of(folder.database)} == {Kind.PHOTOS}


@REMOTE_IN_SOAK
def test_what_arrives_is_worked_on_once_whatever_is_restarted(
    settings: Settings, inbox: Inbox
) -> None:
    inbox.put("in/a.mp4", fake_video(segments=2, seconds=0.5))
    with office(settings) as desk:
        database = desk.folder.database
        desk.desk.schedules.add(LOCAL, Kind.VIDEO, inbox.uri("in/"), NIGHTLY, {})
        for _ in range(3):
            make_due(database)
            with worker(settings, RAPT_SOURCES=settings.sources) as one:
                until(lambda one=one: one.wrote("schedule_looked_at"))  # type: ignore[misc]  # one is bound
                one.process.kill()
        with worker(settings, RAPT_SOURCES=settings.sources):
            (job,) = jobs_of(database)
            desk.wait(job.id, State.DONE)
    assert inbox.read("in/a.mp4") == fake_video(segments=2, seconds=0.5)

"""Inputs on a real S3 server, read by real worker processes."""

import os
import threading
from pathlib import Path

import pytest

from emotion.errors import InvalidRequest, Stopped, VideoTooLarge
from emotion.video.decoding import never
from service.jobs.claims import Claims
from service.jobs.inputs import Inputs
from service.jobs.job import LOCAL, Job, Kind, State
from service.jobs.opened import OpenedFolder
from service.jobs.patience import Patience
from service.jobs.requests import JobRequest
from service.settings import Settings
from service.sources import Sources
from service.storage_errors import StorageFull
from tests.service.inbox import Inbox
from tests.service.jobs.fake_analyses import fake_video
from tests.service.jobs.workers import Office, office, worker


@pytest.fixture
def settings(inbox: Inbox) -> Settings:
    """Of an empty home; all of the bucket may be read."""
    return Settings(worker_stale_seconds=2.0, min_free_bytes=0, sources=inbox.uri(""))


def ask(desk: Office, inbox: Inbox, key: str) -> str:
    return desk.desk.request(LOCAL, JobRequest(Kind.VIDEO, inbox.uri(key))).id


def inputs_of(folder: OpenedFolder, settings: Settings, tries: int = 1) -> Inputs:
    claims = Claims(folder.database, "worker-1")
    patience = Patience(tries, threading.Event(), first_wait=0.01)
    return Inputs(claims, folder.store, Sources(), patience, settings)


def waiting(folder: OpenedFolder, uri: str) -> Job:
    return folder.ledger.reserve(
        LOCAL,
        Kind.VIDEO,
        id="a",
        name=None,
        settings={},
        idempotency_key=None,
        uri=uri,
        state=State.QUEUED,
    )


def test_a_video_at_a_uri_becomes_a_report_and_stays_where_it_lies(
    settings: Settings, inbox: Inbox
) -> None:
    video = fake_video(segments=2)
    inbox.put("in/party.mp4", video)
    with office(settings) as desk, worker(settings, RAPT_SOURCES=settings.sources):
        job = desk.wait(ask(desk, inbox, "in/party.mp4"), State.DONE)
        assert desk.reports(job.id)[0].startswith(b"json of")
    assert (job.size, job.name) == (len(video), "party.mp4")
    assert inbox.read("in/party.mp4") == video


def test_why_a_uri_could_not_be_read_is_noted_and_the_next_goes_on(
    settings: Settings, inbox: Inbox
) -> None:
    inbox.put("in/party.mp4", fake_video())
    with office(settings) as desk, worker(settings, RAPT_SOURCES=settings.sources):
        failed = desk.wait(ask(desk, inbox, "none.mp4"), State.FAILED)
        desk.wait(ask(desk, inbox, "in/party.mp4"), State.DONE)
    assert failed.error == (f"There is no {inbox.uri('none.mp4')}. Send it again when it is there.")


def test_a_worker_reads_nothing_that_its_own_settings_dont_allow(
    settings: Settings, inbox: Inbox
) -> None:
    inbox.put("in/party.mp4", fake_video())
    with office(settings) as desk, worker(settings, RAPT_SOURCES="s3://other/"):
        failed = desk.wait(ask(desk, inbox, "in/party.mp4"), State.FAILED)
    assert failed.error is not None
    assert "is not below any prefix that may be read here" in failed.error


def test_the_file_has_no_name_and_is_gone_afterwards(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("a", b"content")
    waiting(folder, inbox.uri("a"))
    inputs = inputs_of(folder, settings)
    with inputs.as_local_file(inputs.claims.claim("a"), never) as path:
        assert path.read_bytes() == b"content"
        assert str(path.readlink()).endswith("(deleted)")
    assert not os.path.lexists(path) or path.readlink() != Path("content")


def test_what_is_too_large_is_not_read(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("a", b"content")
    waiting(folder, inbox.uri("a"))
    inputs = inputs_of(folder, settings.model_copy(update={"max_video_bytes": 6}))
    with (
        pytest.raises(VideoTooLarge),
        inputs.as_local_file(inputs.claims.claim("a"), never),
    ):
        pass


def test_what_was_changed_after_the_work_had_begun_is_refused(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("a", b"old")
    waiting(folder, inbox.uri("a"))
    inputs = inputs_of(folder, settings)
    with inputs.as_local_file(inputs.claims.claim("a"), never):
        pass
    inbox.put("a", b"new")
    with (
        pytest.raises(InvalidRequest, match="was changed after the work on it had begun"),
        inputs.as_local_file(inputs.claims.claim("a"), never),
    ):
        pass


def test_who_is_told_to_stop_while_it_reads_does(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("a", b"content")
    waiting(folder, inbox.uri("a"))
    inputs = inputs_of(folder, settings)
    with pytest.raises(Stopped), inputs.as_local_file(inputs.claims.claim("a"), lambda: True):
        pass


def test_where_there_is_no_room_for_it_the_disk_is_full(
    folder: OpenedFolder, settings: Settings, inbox: Inbox
) -> None:
    inbox.put("a", b"content")
    waiting(folder, inbox.uri("a"))
    inputs = inputs_of(folder, settings.model_copy(update={"min_free_bytes": 2**60}))
    with pytest.raises(StorageFull), inputs.as_local_file(inputs.claims.claim("a"), never):
        pass

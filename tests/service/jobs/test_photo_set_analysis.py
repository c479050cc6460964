"""Photos and real models; a real S3 server where they lie in a bucket."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion.errors import Stopped, UndecodablePhotoSet
from emotion.video.decoding import never
from service.jobs.analysis import InlineAnalyses
from service.jobs.claims import Claims
from service.jobs.inputs import Inputs
from service.jobs.job import LOCAL, Job, Kind, Priority, State
from service.jobs.opened import OpenedFolder
from service.jobs.patience import Patience
from service.jobs.work import Work
from service.origins import Origin
from service.settings import Settings
from service.sources import Sources
from tests.emotion.photo_set.zips import write_zip
from tests.pictures import astronaut, encode, gradient
from tests.service.inbox import Inbox

FACE = encode(astronaut(), "JPEG")
NOBODY = encode(gradient(64, 64), "PNG")


@pytest.fixture
def settings(inbox: Inbox) -> Settings:
    return Settings(
        min_free_bytes=0, detector_precision="f32", segment_photos=2, sources=inbox.uri("")
    )


@pytest.fixture
def make_job(folder: OpenedFolder) -> Callable[[str | None], Job]:
    """Makes the row of a set that waits; it was sent, or lies at a URI."""

    def make(uri: str | None) -> Job:
        return folder.ledger.reserve(
            LOCAL,
            Kind.PHOTOS,
            id="a",
            name="party.zip",
            settings={"segment_photos": 2},
            idempotency_key=None,
            uri=uri,
            state=State.QUEUED,
        )

    return make


@pytest.fixture
def work(folder: OpenedFolder, settings: Settings) -> Work:
    claims = Claims(folder.database, "worker-1")
    patience = Patience(2, threading.Event(), first_wait=0.01)
    inputs = Inputs(claims, folder.store, Sources(), patience, settings)
    return Work(claims, inputs, folder.store, InlineAnalyses(settings), patience)


def run_at_once(name: str, do: Callable[[], None]) -> None:
    do()


def report_of(folder: OpenedFolder) -> dict[str, Any]:
    job = folder.ledger.get(LOCAL, Kind.PHOTOS, "a")
    assert (job.state, job.error) == (State.DONE, None)
    content: dict[str, Any] = json.loads(folder.store.read(job.report(1, "json")))
    return content


def outcomes(report: dict[str, Any]) -> list[tuple[str, object]]:
    """Names, and how many faces each photo has, or what is wrong with it."""
    return [
        (photo["name"], photo["error"]["kind"] if "error" in photo else len(photo["faces"]))
        for photo in report["photos"]
    ]


def test_a_zip_is_worked_through_in_order_of_name(
    folder: OpenedFolder, make_job: Callable[[str | None], Job], work: Work, tmp_path: Path
) -> None:
    job = make_job(None)
    files = {"d.jpg": FACE, "b.txt": b"text", "a.jpg": FACE, "c/e.png": NOBODY, "e.jpg": FACE[:900]}
    path = write_zip(tmp_path / "a.zip", files)
    folder.store.write(job.source, path.read_bytes())
    steps: list[str] = []

    def step(name: str, do: Callable[[], None]) -> None:
        steps.append(name)
        do()

    work.run("a", step)
    assert steps == ["segment-0", "segment-1", "segment-2", "report"]
    report = report_of(folder)
    assert outcomes(report) == [
        ("a.jpg", 1),
        ("b.txt", "unsupported-image"),
        ("c/e.png", 0),
        ("d.jpg", 1),
        ("e.jpg", "undecodable-image"),
    ]
    assert report["title"] == "party.zip"
    assert report["summary"]["emotions"]["happy"] == 1.0


def test_the_same_photo_is_told_the_same_in_each_segment(
    settings: Settings, tmp_path: Path
) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{number}.jpg": FACE for number in range(4)})
    analysis = InlineAnalyses(settings).open_photo_set(path, job_at(None))
    first = analysis.analyse(0, never)
    assert analysis.analyse(0, never) == first
    reports = analysis.report([first, analysis.analyse(1, never)])
    photos = json.loads(reports["json"])["photos"]
    assert [photo["faces"] for photo in photos] == [photos[0]["faces"]] * 4


def test_a_zip_at_a_uri_is_read_as_one_that_was_sent(
    folder: OpenedFolder,
    make_job: Callable[[str | None], Job],
    work: Work,
    inbox: Inbox,
    tmp_path: Path,
) -> None:
    inbox.put("party", write_zip(tmp_path / "a.zip", {"a.jpg": FACE}).read_bytes())
    make_job(inbox.uri("party"))
    work.run("a", run_at_once)
    assert outcomes(report_of(folder)) == [("a.jpg", 1)]


def test_one_photo_at_a_uri_is_a_set_of_one(
    folder: OpenedFolder, make_job: Callable[[str | None], Job], work: Work, inbox: Inbox
) -> None:
    inbox.put("in/face.jpg", FACE)
    make_job(inbox.uri("in/face.jpg"))
    work.run("a", run_at_once)
    assert outcomes(report_of(folder)) == [("face.jpg", 1)]


def test_photos_below_a_prefix_are_a_set_as_they_were_when_the_work_began(
    folder: OpenedFolder, make_job: Callable[[str | None], Job], work: Work, inbox: Inbox
) -> None:
    for key in ("in/b/c.jpg", "in/a.jpg", "in/.hidden", "inn/d.jpg", "in/e.jpg"):
        inbox.put(key, FACE)
    make_job(inbox.uri("in/"))

    def step(name: str, do: Callable[[], None]) -> None:
        if name == "segment-1":
            inbox.put("in/0.jpg", FACE)
            inbox.put("in/e.jpg", NOBODY)
        do()

    work.run("a", step)
    assert outcomes(report_of(folder)) == [
        ("a.jpg", 1),
        ("b/c.jpg", 1),
        ("e.jpg", "invalid-request"),
    ]
    job = folder.ledger.get(LOCAL, Kind.PHOTOS, "a")
    assert job.size == 3 * len(FACE)
    assert inbox.read("in/a.jpg") == FACE


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ({"max_set_photos": 1}, "It has 2 photos; at most 1 are accepted."),
        ({"max_set_bytes": 3}, "Its photos have 4 bytes together; at most 3 are accepted."),
    ],
)
def test_too_much_below_a_prefix_fails_the_job(
    folder: OpenedFolder,
    make_job: Callable[[str | None], Job],
    work: Work,
    inbox: Inbox,
    limit: dict[str, int],
    why: str,
) -> None:
    for key in ("in/a.jpg", "in/b.jpg"):
        inbox.put(key, b"xx")
    make_job(inbox.uri("in/"))
    tight = work.inputs.settings.model_copy(update=limit)
    inputs = Inputs(work.claims, folder.store, Sources(), work.patience, tight)
    Work(work.claims, inputs, folder.store, work.analyses, work.patience).run("a", run_at_once)
    failed = folder.ledger.get(LOCAL, Kind.PHOTOS, "a")
    assert (failed.state, failed.error) == (State.FAILED, why)


def test_a_prefix_with_nothing_below_it_fails_the_job(
    folder: OpenedFolder, make_job: Callable[[str | None], Job], work: Work, inbox: Inbox
) -> None:
    make_job(inbox.uri("nothing/"))
    work.run("a", run_at_once)
    failed = folder.ledger.get(LOCAL, Kind.PHOTOS, "a")
    assert (failed.state, failed.error) == (State.FAILED, "There is no photo in it.")


def test_a_zip_that_cant_be_read_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(UndecodablePhotoSet):
        InlineAnalyses(settings).open_photo_set(tmp_path / "a.zip", job_at(None))


def test_who_is_told_to_stop_does_between_two_photos(settings: Settings, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": FACE})
    analysis = InlineAnalyses(settings).open(path, job_at(None), never)
    with pytest.raises(Stopped):
        analysis.analyse(0, lambda: True)


def test_a_large_file_that_is_no_zip_is_not_held(
    folder: OpenedFolder,
    settings: Settings,
    make_job: Callable[[str | None], Job],
    work: Work,
    inbox: Inbox,
) -> None:
    inbox.put("big.jpg", bytes(1001))
    make_job(inbox.uri("big.jpg"))
    analyses = InlineAnalyses(settings.model_copy(update={"max_bytes": 1000}))
    Work(work.claims, work.inputs, folder.store, analyses, work.patience).run("a", run_at_once)
    assert outcomes(report_of(folder)) == [("big.jpg", "image-too-large")]


def job_at(uri: str | None) -> Job:
    """A set that nobody has the row of."""
    return Job(
        id="a",
        owner=LOCAL,
        kind=Kind.PHOTOS,
        priority=Priority.NORMAL,
        state=State.RUNNING,
        created_at=0.0,
        queued_at=None,
        handed_out_at=None,
        begun_at=None,
        ended_at=None,
        name=None,
        size=None,
        sha256=None,
        settings={"segment_photos": 2},
        model=None,
        segments_total=None,
        segments_done=0,
        worked_seconds=0.0,
        fence=1,
        attempts=1,
        ticket=1,
        error=None,
        report_fence=None,
        source_deleted_at=None,
        uri=uri,
        source_etag=None,
        origin=Origin(),
    )

"""Sets of photos, what lies in a bucket, and schedules: the whole way, with real models."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.jobs.job import LOCAL, Job, Kind, State
from service.jobs.uploads import Upload
from service.settings import Settings
from tests.clips import steady, walking, write_clip
from tests.e2e.servers import Server, press_ctrl_c, rapt, until
from tests.emotion.photo_set.zips import write_zip
from tests.pictures import encode, gradient
from tests.s3_server import S3Server
from tests.service.inbox import BUCKET
from tests.service.jobs.workers import Office, office, worker

FOLDER = "whole-way"
JOB_SECONDS = 90


@pytest.fixture(scope="module")
def server(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("i")
    allowed = {"RAPT_SOURCES": f"s3://{BUCKET}/{FOLDER}/", "RAPT_MIN_FREE_BYTES": "0"}
    with rapt("inline", folder, place=None, **allowed, **s3.environment) as one:
        yield one
        press_ctrl_c(one)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_clip(path, walking(20), steady(10, 2)).read_bytes()


def report_of(server: Server, sent: httpx.Response) -> dict[str, Any]:
    """The report of a job that was sent, once it is done."""
    assert sent.status_code == 202, sent.text
    place = sent.headers["location"]
    until(lambda: server.get(place).json()["state"] not in ("queued", "running"), JOB_SECONDS)
    report: dict[str, Any] = server.get(f"{place}/report").json()
    return report


def test_a_zip_of_photos_becomes_a_report(server: Server, face_jpeg: bytes, tmp_path: Path) -> None:
    files = {"a.jpg": face_jpeg, "b.png": encode(gradient(64, 64), "PNG"), "c.txt": b"text"}
    path = write_zip(tmp_path / "party.zip", files)
    headers = {"content-type": "application/zip"}
    url = f"{server.url}/v1/photo-sets"
    sent = httpx.post(url, content=path.read_bytes(), headers=headers, timeout=60)
    report = report_of(server, sent)
    assert [photo["name"] for photo in report["photos"]] == ["a.jpg", "b.png", "c.txt"]
    assert (report["summary"]["faces"], report["summary"]["photos_failed"]) == (1, 1)
    # The same photo asked about alone is told the same.
    (alone,) = server.post(face_jpeg).json()["faces"]
    (in_set,) = report["photos"][0]["faces"]
    assert (in_set["emotion"], in_set["probabilities"]) == (
        alone["emotion"],
        pytest.approx(alone["probabilities"], abs=1e-4),
    )


def test_photos_and_a_video_in_a_bucket_become_reports(
    server: Server, s3: S3Server, face_jpeg: bytes, clip: bytes
) -> None:
    objects = {
        f"{FOLDER}/party/a.jpg": face_jpeg,
        f"{FOLDER}/party/b.jpg": face_jpeg,
        f"{FOLDER}/show.mp4": clip,
    }
    s3.make_bucket(BUCKET, objects)
    asked = {"uri": f"s3://{BUCKET}/{FOLDER}/party/"}
    photos = report_of(server, httpx.post(f"{server.url}/v1/photo-sets", json=asked, timeout=60))
    assert photos["summary"]["faces"] == 2
    asked = {"uri": f"s3://{BUCKET}/{FOLDER}/show.mp4"}
    video = report_of(server, httpx.post(f"{server.url}/v1/videos", json=asked, timeout=60))
    assert len(video["faces"]) == 1


def test_a_schedule_makes_a_job_of_what_arrives(
    server: Server, s3: S3Server, face_jpeg: bytes
) -> None:
    s3.make_bucket(BUCKET, {f"{FOLDER}/arrived/face.jpg": face_jpeg})
    asked = {"prefix": f"s3://{BUCKET}/{FOLDER}/arrived/", "kind": "photos", "cron": "* * * * *"}
    assert httpx.post(f"{server.url}/v1/schedules", json=asked, timeout=60).status_code == 201

    def arrived() -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = server.get("/v1/photo-sets").json()["photo_sets"]
        return [job for job in jobs if job["uri"] == f"s3://{BUCKET}/{FOLDER}/arrived/face.jpg"]

    until(lambda: [job["state"] for job in arrived()] == ["done"], JOB_SECONDS)


def set_of(desk: Office, content: bytes) -> str:
    """Send a set of photos; return its id."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    upload = Upload(Kind.PHOTOS, pieces(), None, "party.zip", {"segment_photos": 2}, None)
    job_id = asyncio.run(desk.desk.accept(LOCAL, upload)).id
    desk.set_time(job_id)
    return job_id


def reports_of(desk: Office, job_id: str) -> list[bytes]:
    until(lambda: told(desk, job_id).state is State.DONE, JOB_SECONDS)
    return [desk.desk.report(LOCAL, Kind.PHOTOS, job_id, form) for form in ("json", "csv", "html")]


def told(desk: Office, job_id: str) -> Job:
    return desk.desk.get(LOCAL, Kind.PHOTOS, job_id)


@pytest.mark.soak
def test_a_killed_worker_leaves_the_report_of_a_set_as_if_nothing_had_happened(
    face_jpeg: bytes, tmp_path: Path
) -> None:
    files = {f"{number}.jpg": face_jpeg for number in range(60)}
    content = write_zip(tmp_path / "party.zip", files).read_bytes()
    settings = Settings(home=tmp_path / "home", worker_stale_seconds=2.0, min_free_bytes=0)
    with office(settings) as desk:
        disturbed = set_of(desk, content)
        with worker(settings, "service.worker"):
            until(lambda: told(desk, disturbed).segments_done >= 1, JOB_SECONDS)
        with worker(settings, "service.worker"):
            expected = reports_of(desk, set_of(desk, content))
            assert reports_of(desk, disturbed) == expected
        assert told(desk, disturbed).fence == 2

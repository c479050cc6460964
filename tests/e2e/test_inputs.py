"""Sets of photos, what lies in a bucket, and schedules: the whole way, with real models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clips import steady, walking, write_clip
from tests.e2e.servers import Server, press_ctrl_c, rapt, until
from tests.emotion.photo_set.zips import write_zip
from tests.pictures import encode, gradient
from tests.s3_server import S3Server

BUCKET = "inputs"
JOB_SECONDS = 90


@pytest.fixture(scope="module")
def server(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("i")
    allowed = {"RAPT_SOURCES": f"s3://{BUCKET}/in/", "RAPT_MIN_FREE_BYTES": "0"}
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
    objects = {"in/party/a.jpg": face_jpeg, "in/party/b.jpg": face_jpeg, "in/show.mp4": clip}
    s3.make_bucket(BUCKET, objects)
    asked = {"uri": f"s3://{BUCKET}/in/party/"}
    photos = report_of(server, httpx.post(f"{server.url}/v1/photo-sets", json=asked, timeout=60))
    assert photos["summary"]["faces"] == 2
    asked = {"uri": f"s3://{BUCKET}/in/show.mp4"}
    video = report_of(server, httpx.post(f"{server.url}/v1/videos", json=asked, timeout=60))
    assert len(video["faces"]) == 1


def test_a_schedule_makes_a_job_of_what_arrives(
    server: Server, s3: S3Server, face_jpeg: bytes
) -> None:
    s3.make_bucket(BUCKET, {"in/arrived/face.jpg": face_jpeg})
    asked = {"prefix": f"s3://{BUCKET}/in/arrived/", "kind": "photos", "cron": "* * * * *"}
    assert httpx.post(f"{server.url}/v1/schedules", json=asked, timeout=60).status_code == 201

    def arrived() -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = server.get("/v1/photo-sets").json()["photo_sets"]
        return [job for job in jobs if job["uri"] == f"s3://{BUCKET}/in/arrived/face.jpg"]

    until(lambda: [job["state"] for job in arrived()] == ["done"], JOB_SECONDS)

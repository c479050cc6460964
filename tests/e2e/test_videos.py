"""A video in, a report out: the whole way, with real models, over HTTP."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.jobs.job import State
from service.settings import Settings
from tests.clips import steady, walking, write_clip
from tests.e2e.servers import Server, files_of, press_ctrl_c, rapt, until
from tests.e2e.uploads import uploading
from tests.service.jobs.workers import office, worker

MP4 = {"content-type": "video/mp4"}
MEBIBYTE = 2**20
SECONDS = 8


def face_clip(folder: Path, seconds: int) -> bytes:
    """A video of one face that sways to and fro."""
    clip = write_clip(folder / "clip.mp4", walking(10 * seconds), steady(10, seconds))
    return clip.read_bytes()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_clip(tmp_path_factory.mktemp("clips"), SECONDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("v")
    # A photo has two seconds, and BentoML's own limit is ten more.
    limits = {"RAPT_SEGMENT_SECONDS": "2", "RAPT_DEADLINE_SECONDS": "2"}
    with rapt("inline", folder, place=None, **limits) as one:
        yield one
        press_ctrl_c(one)


def send(server: Server, content: bytes, query: str = "", **headers: str) -> httpx.Response:
    url = f"{server.url}/v1/videos{query}"
    return httpx.post(url, content=content, headers={**MP4, **headers}, timeout=60)


def delete(server: Server, place: str) -> int:
    return httpx.delete(f"{server.url}{place}", timeout=60).status_code


def follow(server: Server, place: str) -> list[tuple[str, float]]:
    """Follow a video to its end; return the events' names and what they say of progress."""
    told: list[tuple[str, float]] = []
    name = ""
    with httpx.stream("GET", f"{server.url}{place}/events", timeout=60) as events:
        for line in events.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                told.append((name, json.loads(line.removeprefix("data: "))["progress"]))
    return told


def objects_of(server: Server) -> list[str]:
    return sorted(path.name for path in files_of(server.folder / "rapt" / "jobs" / "objects"))


def test_who_ends_leaves_no_log_of_the_database(tmp_path: Path, clip: bytes) -> None:
    with rapt("inline", tmp_path) as one:
        assert send(one, clip).status_code == 202
        press_ctrl_c(one)
        rows = one.folder / "rapt" / "jobs"
        assert sorted(path.name for path in rows.glob("rapt.db*")) == ["rapt.db"]


def test_a_video_is_followed_to_its_report(server: Server, clip: bytes) -> None:
    sent = send(server, clip, "?interval=0.5")
    place = sent.headers["location"]
    told = follow(server, place)
    assert told[-1] == ("done", 1.0)
    assert {name for name, _ in told[:-1]} == {"progress"}
    assert sorted(told, key=lambda event: event[1]) == told
    state = server.get(place).json()
    report = server.get(f"{place}/report").json()
    assert report["model"] == state["model"]
    assert report["video"]["sampled_frames"] == 2 * SECONDS
    assert [face["emotion"] for face in report["faces"]] == ["happy"]
    assert [len(faces) for _, faces in report["timeline"]] == [1] * 2 * SECONDS
    table = server.get(f"{place}/report?format=csv").text.splitlines()
    assert len(table) == 1 + 2 * SECONDS
    assert "<svg" in server.get(f"{place}/report?format=html").text
    # The upload is gone once the report stands.
    until(lambda: objects_of(server) == ["report.csv", "report.html", "report.json"], 10, server)
    assert server.metric("rapt_workers") == 1
    assert delete(server, place) == 204
    assert objects_of(server) == []


def test_text_in_a_videos_clothes_fails_with_a_reason(server: Server, clip: bytes) -> None:
    place = send(server, clip[:600]).headers["location"]
    until(lambda: server.get(place).json()["state"] == "failed", 30, server)
    assert server.get(place).json()["detail"].startswith("The video")
    delete(server, place)


def test_the_same_upload_twice_with_one_key_is_one_job(server: Server, clip: bytes) -> None:
    places = {
        send(server, clip, **{"idempotency-key": "once"}).headers["location"] for _ in range(2)
    }
    assert len(places) == 1
    (place,) = places
    assert httpx.post(f"{server.url}{place}:cancel", timeout=60).status_code in (200, 409)
    delete(server, place)


def test_a_caller_who_hangs_up_leaves_nothing(server: Server, clip: bytes) -> None:
    headers = ("content-type: video/mp4", f"content-length: {len(clip)}")
    with uploading(server.port, *headers, path="/v1/videos") as upload:
        upload.send(clip[: len(clip) // 2])
        until(lambda: server.metric('rapt_jobs{state="receiving"}') == 1, 10, server)
    until(lambda: server.metric('rapt_jobs{state="receiving"}') == 0, 10, server)
    until(lambda: objects_of(server) == [], 10, server)


def test_an_upload_may_take_longer_than_a_photo(server: Server, clip: bytes) -> None:
    headers = ("content-type: video/mp4", f"content-length: {len(clip)}", "connection: close")
    with uploading(server.port, *headers, path="/v1/videos") as upload:
        for number in range(14):
            upload.send(clip[number : number + 1])
            time.sleep(1.0)
        upload.send(clip[14:])
        assert upload.status() == 202
    place = server.get("/v1/videos").json()["videos"][0]["links"]["self"]
    delete(server, place)


def test_a_large_upload_is_not_held_in_memory(server: Server, clip: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield clip
        for _ in range(256):
            yield bytes(MEBIBYTE)
            held.append(server.memory())

    place = send(server, clip).headers["location"]
    until(lambda: server.get(place).json()["state"] == "done", 60, server)
    before = server.memory()
    held: list[int] = []
    url = f"{server.url}/v1/videos"
    large = httpx.post(url, content=pieces(), headers=MP4, timeout=120)
    assert large.status_code == 202
    assert max(held) - before < 64 * MEBIBYTE
    for one in (place, large.headers["location"]):
        assert delete(server, one) == 204


@pytest.mark.soak
def test_ten_kills_leave_a_report_as_if_nothing_had_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(5)  # noqa: S311  # the same each time
    kills, video_id = 10, "f" * 32
    clip = face_clip(tmp_path, 120)
    calm = Settings(home=tmp_path / "calm", worker_stale_seconds=3.0, min_free_bytes=0)
    wild = Settings(home=tmp_path / "wild", worker_stale_seconds=3.0, min_free_bytes=0)
    with office(calm, video_id) as desk:
        desk.set_time(desk.send(clip))
        with worker(calm, "service.worker") as one:
            until(lambda: one.wrote("job_taken"), 30)
            began = time.monotonic()
            desk.wait(video_id, State.DONE, seconds=600)
        whole = time.monotonic() - began
        expected = desk.reports(video_id)
    with office(wild, video_id) as desk:
        desk.set_time(desk.send(clip))
        for _ in range(kills):
            with worker(wild, "service.worker") as one:
                until(lambda one=one: one.wrote("job_taken"), 30)  # type: ignore[misc]  # one is bound
                time.sleep(chance.uniform(0.0, whole / kills))
        with worker(wild, "service.worker"):
            done = desk.wait(video_id, State.DONE, seconds=600)
        got = desk.reports(video_id)
    with capsys.disabled():
        print(f"\n{done.fence} attempts at {whole:.0f} s of work")  # noqa: T201  # the figures are the point
    assert done.fence == kills + 1
    assert got == expected

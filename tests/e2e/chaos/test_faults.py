"""Faults on purpose. Each test begins with what is expected, and prints what was seen.

docs/operations.md has the table. SIGTERM under load is in test_draining.
"""

import asyncio
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.e2e.chaos.conftest import Tell
from tests.e2e.chaos.videos import is_begun, place_of, report_of, send
from tests.e2e.chaos.watched import Seen, watching
from tests.e2e.servers import RAPT, Server, press_ctrl_c, rapt, running, until
from tests.gate import Gate, gate_before
from tests.postgres_server import PostgresServer
from tests.s3_server import JOBS_BUCKET, S3Server
from tests.triton_server import TritonServer

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

# Else the answers of different batches could differ by more than rounding.
EXACT = {"RAPT_DETECTOR_PRECISION": "f32"}
SMALL_PIECES = {"RAPT_SEGMENT_SECONDS": "5"}


def problem_of(answer: object) -> tuple[int, str, bool]:
    """Status, kind, and whether it is said when to come again."""
    status, body, headers = answer.status_code, answer.json(), answer.headers  # type: ignore[attr-defined]  # httpx's
    return status, body["type"].rpartition(":")[2], "retry-after" in headers


def assert_photos_noticed_nothing(seen: Seen) -> None:
    assert seen.tally.wrong == []
    assert set(seen.tally.statuses) == {200}
    assert not seen.was_unready


@pytest.fixture
def on_s3(
    folder: Path, own_postgres: PostgresServer, s3: S3Server
) -> Iterator[tuple[Server, Gate]]:
    """A server whose videos are kept in S3, and the gate before that."""
    with gate_before(s3.port) as gate, own_postgres.database() as database:
        kept = {
            "RAPT_DATABASE_URL": database,
            "RAPT_STORAGE_URL": f"s3://{JOBS_BUCKET}/{uuid.uuid4().hex}",
        }
        there = {**s3.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{gate.port}"}
        tries = {"RAPT_STORAGE_TRIES": "8"}
        with rapt(
            "inline", folder, place=None, **EXACT, **SMALL_PIECES, **kept, **there, **tries
        ) as server:
            yield server, gate
            press_ctrl_c(server)


@pytest.mark.parametrize("stage", ["FaceDetector", "EmotionClassifier"])
async def test_a_runner_is_killed(stage: str, folder: Path, face_jpeg: bytes, tell: Tell) -> None:
    """Photos are 200 or 503 with Retry-After, none wrong; unready in 3 s, ready 30 s later."""
    with rapt("runners", folder, place=None, **EXACT) as server:
        async with watching(server, face_jpeg) as seen:
            seen.begin_fault()
            server.member(f"--service-name {stage}").kill()
            await seen.unready()
            await seen.well()
        tell(
            f"unready after {seen.unready_after:.1f} s, ready again after "
            f"{seen.back_after(seen.fault_at):.1f} s; {seen}"
        )
        assert seen.tally.wrong == []
        assert set(seen.tally.statuses) <= {200, 503}
        assert seen.unready_after < 3
        assert seen.back_after(seen.fault_at) < 30
        assert server.metric("rapt_requests_in_flight") == 0
        press_ctrl_c(server)


async def test_the_worker_is_killed(
    folder: Path, face_jpeg: bytes, long_clip: bytes, tell: Tell
) -> None:
    """Its video is done all the same, with the same report; photos notice nothing."""
    with rapt("inline", folder, place=None, **EXACT, **SMALL_PIECES) as server:
        calm = report_of(server, place_of(send(server, long_clip)))
        async with watching(server, face_jpeg) as seen:
            place = place_of(await asyncio.to_thread(send, server, long_clip))
            await asyncio.to_thread(until, lambda: is_begun(server, place), 60, server)
            seen.begin_fault()
            server.member("service.worker").kill()
            report = await asyncio.to_thread(report_of, server, place)
            took = time.monotonic() - seen.fault_at
        tell(f"the report was there {took:.1f} s after the kill; {seen}")
        assert report == calm
        assert_photos_noticed_nothing(seen)
        press_ctrl_c(server)


async def test_triton_hangs(
    folder: Path, own_triton: TritonServer, face_jpeg: bytes, tell: Tell
) -> None:
    """Photos are 504 at their deadline, or 503; unready in 5 s; well 20 s after it goes on."""
    own_triton.start()
    with ExitStack() as held:
        # Its Python backend, the tests' own, doesn't survive a SIGSTOP: what it says is held back.
        gate = held.enter_context(gate_before(own_triton.ports.grpc))
        settings = {"RAPT_TRITON_ADDRESS": f"127.0.0.1:{gate.port}", "RAPT_DEADLINE_SECONDS": "3"}
        server = held.enter_context(rapt("triton", folder, place=None, **settings))
        async with watching(server, face_jpeg, may_be_late=True) as seen:
            seen.begin_fault()
            gate.hold()
            await seen.unready()
            await asyncio.sleep(8)
            gate.open()
            mended = time.monotonic()
            await seen.well()
        tell(
            f"unready after {seen.unready_after:.1f} s, ready {seen.back_after(mended):.1f} s "
            f"after it went on; {seen}"
        )
        assert seen.tally.wrong == []
        assert {200, 504} <= set(seen.tally.statuses) <= {200, 503, 504}
        assert max(seen.tally.times) < 5
        assert seen.unready_after < 5
        assert seen.back_after(mended) < 20
        assert server.metric("rapt_requests_in_flight") == 0
        press_ctrl_c(server)


async def test_postgresql_is_restarted(
    folder: Path,
    own_postgres: PostgresServer,
    s3: S3Server,
    face_jpeg: bytes,
    long_clip: bytes,
    tell: Tell,
) -> None:
    """Photos notice nothing; videos are 503 meanwhile; the one in work is done, with its report."""
    with ExitStack() as held:
        database = held.enter_context(own_postgres.database())
        kept = {
            "RAPT_DATABASE_URL": database,
            "RAPT_STORAGE_URL": f"s3://{JOBS_BUCKET}/{uuid.uuid4().hex}",
        }
        settings = {**EXACT, **SMALL_PIECES, **kept, **s3.environment}
        server = held.enter_context(rapt("inline", folder, place=None, **settings))
        calm = report_of(server, place_of(send(server, long_clip)))
        async with watching(server, face_jpeg) as seen:
            place = place_of(await asyncio.to_thread(send, server, long_clip))
            await asyncio.to_thread(until, lambda: is_begun(server, place), 60, server)
            seen.begin_fault()
            await asyncio.to_thread(own_postgres.stop)
            refused = await asyncio.to_thread(send, server, long_clip)
            await asyncio.sleep(5)
            await asyncio.to_thread(own_postgres.start)
            mended = time.monotonic()
            report = await asyncio.to_thread(report_until_back, server, place)
            took = time.monotonic() - mended
        tell(f"the report was there {took:.1f} s after it was back; {seen}")
        assert problem_of(refused) == (503, "storage-unavailable", True)
        assert report == calm
        assert_photos_noticed_nothing(seen)
        press_ctrl_c(server)


def report_until_back(server: Server, place: str) -> object:
    until(lambda: server.get(place).status_code == 200, 60, server)
    return report_of(server, place)


async def test_s3_is_slow(
    on_s3: tuple[Server, Gate], face_jpeg: bytes, long_clip: bytes, tell: Tell
) -> None:
    """Videos take longer, with the same report; photos notice nothing."""
    server, gate = on_s3
    calm = report_of(server, place_of(send(server, long_clip)))
    async with watching(server, face_jpeg) as seen:
        gate.slow(0.2)
        began = time.monotonic()
        place = place_of(await asyncio.to_thread(send, server, long_clip))
        slow = await asyncio.to_thread(report_of, server, place)
        took = time.monotonic() - began
        gate.slow(0.0)
    tell(f"0.2 s a piece: a video took {took:.1f} s; {seen}")
    assert slow == calm
    assert_photos_noticed_nothing(seen)


async def test_s3_fails(
    on_s3: tuple[Server, Gate], face_jpeg: bytes, long_clip: bytes, tell: Tell
) -> None:
    """Videos are 503 within 30 s; the one in work is done later; photos notice nothing."""
    server, gate = on_s3
    calm = report_of(server, place_of(send(server, long_clip)))
    async with watching(server, face_jpeg) as seen:
        place = place_of(await asyncio.to_thread(send, server, long_clip))
        await asyncio.to_thread(until, lambda: is_begun(server, place), 60, server)
        gate.shut()
        began = time.monotonic()
        refused = await asyncio.to_thread(send, server, long_clip)
        refused_after = time.monotonic() - began
        await asyncio.sleep(5)
        gate.open()
        mended = time.monotonic()
        report = await asyncio.to_thread(report_of, server, place)
        took = time.monotonic() - mended
    tell(
        f"a video is {refused.status_code} after {refused_after:.1f} s, the report was there "
        f"{took:.1f} s after it was back; {seen}"
    )
    assert report == calm
    assert problem_of(refused) == (503, "storage-unavailable", True)
    assert refused_after < 30
    assert_photos_noticed_nothing(seen)


async def test_the_disk_is_full(
    folder: Path, face_jpeg: bytes, long_clip: bytes, tell: Tell
) -> None:
    """Videos are 507, and nothing of them is left; photos notice nothing; with room all is well."""
    home = folder / "rapt"
    home.mkdir()
    # A file system that the server alone sees, and that is gone with it.
    small = f'mount -t tmpfs -o size=48m tmpfs {home} && exec "$@"'
    apart = ["unshare", "-rm", "sh", "-c", small, "sh"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:  # noqa: S603  # our own words
        pytest.skip("needs a file system of its own, which this machine doesn't give")
    command = [*apart, str(RAPT), "serve", "--topology", "inline"]
    with running(command, folder, place=None, **EXACT, RAPT_MIN_FREE_BYTES="0") as server:
        until(lambda: any("Rapt is ready" in line for line in server.lines), 90, server)
        ballast = Path(f"/proc/{server.process.pid}/root{home}/ballast")
        calm = report_of(server, place_of(send(server, long_clip)))
        # The worker deletes an upload that has served a moment after its job is done.
        until(lambda: uploads_below(ballast.parent) == [], 10, server)
        async with watching(server, face_jpeg) as seen:
            fill(ballast)
            refused = await asyncio.to_thread(send, server, long_clip)
            objects = uploads_below(ballast.parent)
            await asyncio.sleep(3)
            os.truncate(ballast, 0)
            place = place_of(await asyncio.to_thread(send, server, long_clip))
            report = await asyncio.to_thread(report_of, server, place)
        tell(f"a video is {refused.status_code}; {seen}")
        assert problem_of(refused)[:2] == (507, "storage-full")
        assert objects == []
        assert report == calm
        assert_photos_noticed_nothing(seen)


def uploads_below(home: Path) -> list[Path]:
    """What is there of videos that were sent, whole or not."""
    return [path for path in home.rglob("source*") if path.is_file()]


def fill(ballast: Path) -> None:
    """Leave no room."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))

"""A front whose Triton comes, goes, and changes its models."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from service.models.installed import InstalledModels
from tests.e2e.models import Classifiers, place_in, version_of
from tests.e2e.servers import RAPT, Server, rapt, running, until
from tests.triton_server import TritonServer

CLIENTS = 8
BACK_SECONDS = 20


@dataclass
class Answers:
    """What clients got, all together."""

    statuses: Counter[int] = field(default_factory=Counter)
    problems: Counter[tuple[int, str, str | None]] = field(default_factory=Counter)
    confidences: dict[str, set[float]] = field(default_factory=dict)

    async def take(self, response: aiohttp.ClientResponse) -> None:
        body: dict[str, Any] = await response.json(content_type=None)
        self.statuses[response.status] += 1
        if response.status == 200:
            (face,) = body["faces"]
            self.confidences.setdefault(body["model"]["version"], set()).add(face["confidence"])
        else:
            kind = body["type"].rpartition(":")[2]
            self.problems[response.status, kind, response.headers.get("retry-after")] += 1

    async def come_to(self, status: int, count: int) -> None:
        """Wait until there are so many more answers with this status."""
        wanted = self.statuses[status] + count
        async with asyncio.timeout(60):
            while self.statuses[status] < wanted:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def clients(server: Server, photo: bytes) -> AsyncIterator[Answers]:
    """Clients that send one photo after the other while the block runs."""
    answers, done = Answers(), asyncio.Event()

    async def client(session: aiohttp.ClientSession) -> None:
        headers = {"content-type": "image/jpeg"}
        while not done.is_set():
            async with session.post("/v1/photos", data=photo, headers=headers) as response:
                await answers.take(response)

    timeout = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(server.url, timeout=timeout) as session,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(CLIENTS):
            group.create_task(client(session))
        yield answers
        done.set()


def answers_200(server: Server, path: str) -> bool:
    try:
        return server.get(path).status_code == 200
    except httpx.TransportError:
        return False


def assert_unavailable(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert response.json()["type"] == "urn:rapt:problem:model-unavailable"
    assert "Triton does not answer" in response.json()["detail"]
    assert response.headers["retry-after"] == "10"


def test_a_front_waits_for_its_triton_and_finds_it_again(
    folder: Path, own_triton: TritonServer, face_jpeg: bytes
) -> None:
    command = [str(RAPT), "serve", "--topology", "triton"]
    # A proxy that is set has nothing to say about where Triton is.
    proxy = "http://127.0.0.1:9"
    with running(
        command, folder, RAPT_TRITON_ADDRESS=own_triton.address, http_proxy=proxy
    ) as server:
        until(lambda: answers_200(server, "/livez"), 60, server)
        assert_unavailable(server.get("/readyz"))
        assert_unavailable(server.post(face_jpeg))
        own_triton.start()
        until(lambda: any("Rapt is ready" in line for line in server.lines), BACK_SECONDS, server)
        expected = server.post(face_jpeg).json()["faces"]
        own_triton.kill()
        assert_unavailable(server.post(face_jpeg))
        assert_unavailable(server.get("/readyz"))
        own_triton.start()
        until(lambda: answers_200(server, "/readyz"), BACK_SECONDS, server)
        assert server.post(face_jpeg).json()["faces"] == expected


def test_a_model_that_triton_has_unloaded_makes_the_front_unready(
    folder: Path, own_triton: TritonServer, face_jpeg: bytes
) -> None:
    own_triton.start()
    with rapt("triton", folder, RAPT_TRITON_ADDRESS=own_triton.address) as server:
        for model in ("face_detector", "emotion_classifier"):
            own_triton.unload(model)
            response = server.get("/readyz")
            assert response.status_code == 503
            spoken = model.replace("_", " ")
            assert response.json()["detail"].startswith(f"Triton has not loaded the {spoken}.")
            assert server.post(face_jpeg).status_code == 503
            own_triton.load(model)
            assert server.get("/readyz").status_code == 200
        assert server.post(face_jpeg).status_code == 200


@pytest.mark.soak
async def test_killed_in_mid_flight_it_is_503_with_retry_after_until_it_is_back(
    folder: Path, own_triton: TritonServer, face_jpeg: bytes
) -> None:
    own_triton.start()
    with rapt("triton", folder, RAPT_TRITON_ADDRESS=own_triton.address) as server:
        for _ in range(3):
            async with clients(server, face_jpeg) as answers:
                await answers.come_to(200, 40)
                await asyncio.to_thread(own_triton.kill)
                await answers.come_to(503, CLIENTS)
                await asyncio.to_thread(own_triton.start)
                began = time.monotonic()
                await answers.come_to(200, 40)
                assert time.monotonic() - began < BACK_SECONDS
            assert set(answers.problems) == {(503, "model-unavailable", "10")}
        assert server.metric("rapt_requests_in_flight") == 0
        assert not any("Traceback" in line for line in server.lines)


@pytest.mark.soak
async def test_a_version_that_triton_loads_takes_over_and_no_request_fails(
    folder: Path, own_triton: TritonServer, face_jpeg: bytes, classifiers: Classifiers
) -> None:
    repository = own_triton.repository
    models = InstalledModels(repository, repository, keep=1)
    place_in(models, classifiers.first)
    own_triton.start()
    with rapt("triton", folder, RAPT_TRITON_ADDRESS=own_triton.address) as server:
        async with clients(server, face_jpeg) as answers:
            await answers.come_to(200, 40)
            place_in(models, classifiers.second)
            await asyncio.to_thread(own_triton.load, "emotion_classifier")
            await answers.come_to(200, 40)
        assert version_of(server) == "second"
    assert answers.problems == Counter()
    # Each version is sure of itself to a degree of its own.
    least, most = (answers.confidences[version] for version in ("second", "first"))
    assert max(least) < min(most) - 0.05

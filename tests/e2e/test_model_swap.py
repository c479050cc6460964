"""A new model in the registry reaches a running service, whatever else goes on."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from emotion.contract import CLASSIFIER_NAME
from tests.e2e.models import Classifiers, asking, place, readyz, version_of
from tests.e2e.servers import Server, press_ctrl_c, rapt, until, words_of
from tests.mlflow_server import MlflowServer
from tests.service.registry_models import TestRegistry

CLIENTS = 16
# Between a client's photos, in seconds: together they keep one of two cores busy, and leave the
# other to the registry and the pull.
PAUSE = 0.5
SWAPS = 6
MEBIBYTE = 2**20
# What the allocator happens to hold differs by some MB from one moment to the next. A classifier
# that stayed would add the size of its file at least, each time: 11 MB of the smallest, times 6.
TOLERANCE = 40 * MEBIBYTE


def memory(server: Server, topology: str) -> int:
    """Bytes that the process holds in which the classifier is."""
    holder = "EmotionClassifier" if topology == "runners" else "EmotionService"
    return int(server.member(f"--service-name {holder}").memory_info().rss)


@dataclass
class Answers:
    """What clients got, all together."""

    faces: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    versions: list[str] = field(default_factory=list)
    wrong: list[object] = field(default_factory=list)

    def take(self, status: int, body: dict[str, Any]) -> None:
        self.statuses[status] += 1
        if status != 200:
            self.wrong.append(body)
            return
        version = body["model"]["version"]
        self.versions.append(version)
        (face,) = body["faces"]
        (expected,) = self.faces.setdefault(version, body["faces"])
        if abs(face["confidence"] - expected["confidence"]) > 2e-4:
            self.wrong.append(body)

    async def come_from(self, version: str, seconds: float = 90) -> None:
        """Wait until clients are answered by a version."""
        async with asyncio.timeout(seconds):
            while not self.versions or self.versions[-1] != version:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def clients(server: Server, photo: bytes) -> AsyncIterator[Answers]:
    """Sixteen clients that send one photo after the other while the block runs."""
    answers, done = Answers(), asyncio.Event()

    async def client(session: aiohttp.ClientSession) -> None:
        while not done.is_set():
            headers = {"content-type": "image/jpeg"}
            async with session.post("/v1/photos", data=photo, headers=headers) as response:
                answers.take(response.status, await response.json(content_type=None))
            await asyncio.sleep(PAUSE)

    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with (
        aiohttp.ClientSession(server.url, connector=connector) as session,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(CLIENTS):
            group.create_task(client(session))
        yield answers
        done.set()


# A server, a registry and two pulls, each of which may be slow.
@pytest.mark.soak
@pytest.mark.timeout(400)
async def test_a_new_champion_and_a_rollback_reach_clients_and_no_request_fails(
    topology: str,
    folder: Path,
    home: Path,
    registry: TestRegistry,
    classifiers: Classifiers,
    face_jpeg: bytes,
) -> None:
    first = registry.register_champion(classifiers.first)
    second = registry.register(classifiers.second)
    place(home, classifiers.first, first)
    with asking(registry.url, topology, folder) as server:
        async with clients(server, face_jpeg) as answers:
            await answers.come_from("first")
            await asyncio.to_thread(registry.make_champion, second)
            await answers.come_from("second")
            await asyncio.to_thread(registry.make_champion, first)
            await answers.come_from("first")
        # A model is served a moment before the pull that brought it has ended.
        until(lambda: readyz(server)["registry"]["champion"] == first, 90, server)
        assert readyz(server)["registry"]["state"] == "ok"
        assert server.metric('rapt_model_swaps_total{outcome="swapped"}') == 2
        assert server.metric('rapt_model_info{model="emotion_classifier",version="first"}') == 1
        assert server.metric("rapt_model_info") == 1
    assert answers.wrong == []
    assert set(answers.statuses) == {200}
    assert set(answers.versions) == {"first", "second"}
    surest = [answers.faces[version][0]["confidence"] for version in ("first", "second")]
    assert surest[0] > surest[1] + 0.05


@pytest.mark.soak
async def test_memory_is_back_where_it_was_after_several_swaps(
    topology: str, folder: Path, home: Path, classifiers: Classifiers, face_jpeg: bytes
) -> None:
    place(home, classifiers.first)
    with rapt(topology, folder) as server:
        async with clients(server, face_jpeg) as answers:
            await answers.come_from("first")
            await asyncio.sleep(2)
            before = memory(server, topology)
            for _ in range(SWAPS // 2):
                for content, version in (
                    (classifiers.second, "second"),
                    (classifiers.first, "first"),
                ):
                    place(home, content)
                    await answers.come_from(version)
        until(lambda: memory(server, topology) < before + TOLERANCE, 10, server)
        assert server.metric('rapt_model_swaps_total{outcome="swapped"}') == SWAPS
    assert answers.wrong == []


@pytest.fixture
def killed(mlflow: MlflowServer) -> Iterator[MlflowServer]:
    """The registry's server, killed; it is there again after the test."""
    mlflow.kill()
    yield mlflow
    if not answers(mlflow):
        mlflow.start()


def answers(server: MlflowServer) -> bool:
    try:
        return httpx.get(f"{server.url}/health", timeout=30).status_code == 200
    except httpx.TransportError:
        return False


# MLflow is killed and started again besides.
@pytest.mark.timeout(400)
def test_without_the_registry_it_starts_and_serves_what_was_pulled_last_and_says_so(
    topology: str,
    folder: Path,
    home: Path,
    killed: MlflowServer,
    classifiers: Classifiers,
    face_jpeg: bytes,
) -> None:
    place(home, classifiers.second)
    with asking(killed.url, topology, folder) as server:
        assert server.post(face_jpeg).json()["model"]["version"] == "second"
        until(lambda: readyz(server)["registry"]["state"] == "unreachable", 90, server)
        body = readyz(server)
        assert (body["status"], body["model"]["version"]) == ("ready", "second")
        assert "Connection refused" in body["registry"]["detail"]
        assert server.metric("rapt_model_registry_up") == 0
        assert "rapt_model_registry_up 0.0" in server.get("/metrics").text
        killed.start()
        TestRegistry(killed.url).register_champion(classifiers.first)
        until(lambda: version_of(server) == "first", 90, server)
        until(lambda: readyz(server)["registry"]["state"] == "ok", 90, server)
        assert server.metric("rapt_model_registry_up") == 1


def test_a_home_without_a_model_gets_one_while_it_serves_the_built_in_one(
    folder: Path, home: Path, classifiers: Classifiers
) -> None:
    with rapt("inline", folder) as server:
        assert version_of(server) not in ("first", "second")
        assert readyz(server)["registry"]["state"] == "off"
        place(home, classifiers.first)
        until(lambda: version_of(server) == "first", 60, server)
        assert not (home / "models" / "face_detector").exists()
        assert (home / "models" / CLASSIFIER_NAME / "1").exists()


def test_a_registry_that_never_answers_delays_nothing_and_no_pull_outlives_the_server(
    folder: Path, face_jpeg: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with asking(url, "inline", folder) as server:
            until(
                lambda: any("models pull" in " ".join(words_of(one)) for one in server.family()), 10
            )
            assert readyz(server)["registry"]["state"] == "pending"
            assert server.post(face_jpeg).status_code == 200
            press_ctrl_c(server)

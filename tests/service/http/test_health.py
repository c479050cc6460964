from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from emotion.errors import ModelUnavailable
from service.models.registry_watch import RegistryState
from service.models.served import ModelState, PassedOver
from tests.service.http.client import client_of, problem, started_plane
from tests.stages import MODEL


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(started_plane()) as one:
        yield one


async def test_it_is_ready_while_both_models_answer(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["status", "model", "registry", "jobs"]
    assert (body["status"], body["registry"]["state"]) == ("ready", "off")
    assert body["model"] == {
        "name": "emotion_classifier",
        "version": MODEL.version,
        "passed_over": [],
    }


async def test_it_is_ready_and_says_which_versions_were_passed_over_and_why() -> None:
    async def probe() -> ModelState:
        return ModelState(MODEL, (PassedOver(Path("/models/2"), "It is damaged."),))

    async with client_of(started_plane(probe=probe)) as client:
        response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["model"]["version"] == MODEL.version
    assert response.json()["model"]["passed_over"] == ["/models/2 is passed over: It is damaged."]


async def test_it_is_ready_and_says_so_when_the_registry_does_not_answer() -> None:
    since = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
    state = RegistryState("unreachable", since, "Connection refused.")
    async with client_of(started_plane(registry=lambda: state)) as client:
        response = await client.get("/readyz")
        metrics = (await client.get("/metrics")).text
    assert response.status_code == 200
    assert response.json()["registry"] == {
        "state": "unreachable",
        "since": "2026-11-24T10:30:00Z",
        "detail": "Connection refused.",
        "champion": None,
    }
    assert "\nrapt_model_registry_up 0.0\n" in metrics


async def test_metrics_tell_which_model_answers(client: httpx.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    assert '\nrapt_model_info{model="emotion_classifier",version="fake-1"} 1.0\n' in text
    assert "rapt_model_registry_up" not in text


async def test_it_is_not_ready_when_one_does_not() -> None:
    async def fail() -> ModelState:
        raise ModelUnavailable("The face detector does not answer.")

    async with client_of(started_plane(probe=fail)) as client:
        response = await client.get("/readyz")
        assert (await client.get("/livez")).text == "alive\n"
        assert "rapt_model_info{" not in (await client.get("/metrics")).text
    assert "face detector" in problem(response, 503, "model-unavailable")["detail"]


async def test_metrics_are_in_prometheus_text(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE" in response.text


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_load_balancers_may_ask_with_head(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.head(path)).status_code == 200

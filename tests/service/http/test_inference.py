import asyncio
import base64
from typing import Any

import httpx
import pytest

from emotion.errors import ModelUnavailable, Overloaded, RaptError
from emotion.photo import PhotoPipeline
from service.models.served import ModelState
from service.settings import Settings
from tests.service.fake_stages import BAD_PHOTO, FailingDetector, StuckDetector, photo_of
from tests.service.http.client import client_of, started_plane
from tests.stages import FakeClassifier, FakeDetector

INFER = "/v2/models/emotion/infer"


def asking(*photos: bytes) -> dict[str, Any]:
    data = [base64.b64encode(photo).decode() for photo in photos]
    return {
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [len(photos)], "data": data}]
    }


def error_of(response: httpx.Response, status: int) -> str:
    """The error in an answer, which has to be the protocol's, and closes the connection."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["connection"] == "close"
    body = response.json()
    assert list(body) == ["error"]
    message: str = body["error"]
    return message


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/emotion/ready", {"name": "emotion", "ready": True}),
        ("/v2/models/emotion/versions/fake-1/ready", {"name": "emotion", "ready": True}),
    ],
)
async def test_what_is_ready_says_so(path: str, body: dict[str, object]) -> None:
    async with client_of(started_plane()) as client:
        response = await client.get(path)
    assert (response.status_code, response.json()) == (200, body)


@pytest.mark.parametrize("path", ["/v2/health/ready", "/v2/models/emotion/ready"])
async def test_what_is_not_ready_says_so(path: str) -> None:
    async def fail() -> ModelState:
        raise ModelUnavailable("The detector is down.")

    async with client_of(started_plane(probe=fail)) as client:
        response = await client.get(path)
        assert error_of(response, 503) == "The detector is down."
        assert response.headers["retry-after"] == "10"
        assert (await client.get("/v2/health/live")).status_code == 200


async def test_metadata_is_given() -> None:
    async with client_of(started_plane()) as client:
        server = (await client.get("/v2")).json()
        model = (await client.get("/v2/models/emotion")).json()
        versioned = (await client.get("/v2/models/emotion/versions/fake-1")).json()
    assert server["name"] == "rapt"
    assert model["versions"] == ["fake-1"]
    assert versioned == model


@pytest.mark.parametrize("path", [INFER, "/v2/models/emotion/versions/fake-1/infer"])
async def test_photos_are_answered(path: str) -> None:
    async with client_of(started_plane()) as client:
        response = await client.post(path, json=asking(photo_of(2), photo_of(1)))
    assert response.status_code == 200
    body = response.json()
    assert body["model_version"] == "fake-1"
    assert body["outputs"][4]["data"] == [0, 0, 1]
    assert response.headers["x-request-id"]


async def test_a_bad_photo_is_named() -> None:
    async with client_of(started_plane()) as client:
        response = await client.post(INFER, json=asking(photo_of(1), BAD_PHOTO))
    assert error_of(response, 400) == "image[1]: These bytes say nothing about faces."


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v2/models/mood/infer", "There is no model 'mood'; the one served is 'emotion'."),
        (
            "/v2/models/emotion/versions/2/infer",
            "Version '2' of 'emotion' is not served; 'fake-1' is. Leave the version out for "
            "whichever is served.",
        ),
    ],
)
async def test_a_model_that_is_not_served_is_a_400(path: str, message: str) -> None:
    async with client_of(started_plane()) as client:
        assert error_of(await client.post(path, json=asking(photo_of(1))), 400) == message


async def test_a_question_that_is_none_is_a_400() -> None:
    async with client_of(started_plane()) as client:
        response = await client.post(INFER, content=b"Dear server")
    assert error_of(response, 400).startswith("The JSON is no inference request: Invalid JSON")


async def test_too_large_a_body_is_a_413() -> None:
    plane = started_plane(Settings(max_bytes=10, max_batch_bytes=10))
    async with client_of(plane) as client:
        response = await client.post(INFER, content=b"x" * (65_546 + 1))
        assert error_of(response, 413) == "The body is larger than the 65,546 bytes accepted."
        assert error_of(await client.post(INFER, content=b"x" * 65_546), 400)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v2/", "GET", 404),
        ("/v2/models", "GET", 404),
        ("/v2/models/emotion/versions/fake-1/infer/", "POST", 404),
        (INFER, "GET", 405),
        ("/v2", "POST", 405),
    ],
)
async def test_what_is_not_there_has_the_protocols_error(
    path: str, method: str, status: int
) -> None:
    async with client_of(started_plane()) as client:
        assert error_of(await client.request(method, path), status)


async def test_a_path_that_only_begins_alike_is_not_the_protocols() -> None:
    async with client_of(started_plane()) as client:
        response = await client.get("/v2x")
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [(Overloaded("full", 1.2), 503, "2"), (ModelUnavailable("gone"), 503, "10")],
)
async def test_what_may_pass_says_when_to_try_again(
    error: RaptError, status: int, retry_after: str
) -> None:
    pipeline = PhotoPipeline(FailingDetector(error), FakeClassifier())
    async with client_of(started_plane(pipeline=pipeline)) as client:
        response = await client.post(INFER, json=asking(b"a"))
    assert error_of(response, status) == error.message
    assert response.headers["retry-after"] == retry_after


async def test_a_bug_is_a_500_that_names_nothing() -> None:
    pipeline = PhotoPipeline(FailingDetector(ZeroDivisionError("secret")), FakeClassifier())
    async with client_of(started_plane(pipeline=pipeline)) as client:
        message = error_of(await client.post(INFER, json=asking(b"a")), 500)
    assert message == "An unexpected error; the server's log has it under this request's id."


async def test_past_the_deadline_it_is_a_504() -> None:
    pipeline = PhotoPipeline(StuckDetector(), FakeClassifier())
    plane = started_plane(Settings(deadline_seconds=0.05), pipeline)
    async with client_of(plane) as client:
        assert "not ready in time" in error_of(await client.post(INFER, json=asking(b"a")), 504)


async def test_the_limit_is_that_of_all_transports() -> None:
    stuck = StuckDetector()
    pipeline = PhotoPipeline(stuck, FakeClassifier())
    plane = started_plane(Settings(max_in_flight=1), pipeline)
    async with client_of(plane) as client:
        first = asyncio.create_task(client.post(INFER, json=asking(b"a")))
        await stuck.asked.wait()
        response = await client.post(INFER, json=asking(b"a"))
        first.cancel()
    assert error_of(response, 503) == "All 1 places for requests are taken. Try again shortly."


async def test_a_photo_is_not_looked_at_where_the_model_is_unknown() -> None:
    detector = FakeDetector({})
    plane = started_plane(pipeline=PhotoPipeline(detector, FakeClassifier()))
    async with client_of(plane) as client:
        await client.post("/v2/models/mood/infer", json=asking(b"a"))
    assert detector.calls == []

"""The whole front with made-up stages: what a client of the API sees."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry

from emotion.errors import DeadlineExceeded, ModelUnavailable, Overloaded
from emotion.labels import EMOTIONS
from emotion.photo import PhotoPipeline
from service.data_plane import DataPlane
from service.settings import Settings
from tests.service.fake_stages import BAD_PHOTO, FailingDetector, StuckDetector, photo_of
from tests.service.http.client import MULTIPART, client_of, form, problem, started_plane
from tests.stages import MODEL, FakeClassifier

JPEG = {"content-type": "image/jpeg"}
FORM = {"content-type": MULTIPART}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(started_plane()) as one:
        yield one


async def test_a_photo_is_answered_with_its_faces(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/photos", content=photo_of(faces=2), headers=JPEG)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["id", "image", "faces", "model"]
    assert body["image"] == {"width": 640, "height": 480}
    assert body["model"] == {"name": "emotion_classifier", "version": MODEL.version}
    assert [face["emotion"] for face in body["faces"]] == ["happy", "happy"]
    assert list(body["faces"][0]["probabilities"]) == [emotion.value for emotion in EMOTIONS]


async def test_the_answers_id_is_the_headers(client: httpx.AsyncClient) -> None:
    headers = {**JPEG, "x-request-id": "job-7"}
    response = await client.post("/v1/photos", content=photo_of(faces=0), headers=headers)
    assert response.json()["id"] == response.headers["x-request-id"] == "job-7"


async def test_a_request_of_one_bad_photo_failed_whole() -> None:
    counted = CollectorRegistry()
    async with client_of(started_plane(counted_in=counted)) as client:
        await client.post("/v1/photos", content=BAD_PHOTO, headers=JPEG)
    reason = {"reason": "UndecodableImage"}
    assert counted.get_sample_value("rapt_requests_failed_total", reason) == 1


async def test_no_face_is_no_error(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/photos", content=photo_of(faces=0), headers=JPEG)
    assert (response.status_code, response.json()["faces"]) == (200, [])


async def test_a_form_is_answered_as_raw_bytes_are(client: httpx.AsyncClient) -> None:
    content = form(("photo", "me.jpg", photo_of(faces=1)))
    response = await client.post("/v1/photos", content=content, headers=FORM)
    raw = await client.post("/v1/photos", content=photo_of(faces=1), headers=JPEG)
    assert {**response.json(), "id": ""} == {**raw.json(), "id": ""}


async def test_a_bad_photo_is_a_problem(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/photos", content=BAD_PHOTO, headers=JPEG)
    body = problem(response, 400, "undecodable-image")
    assert body["detail"] == "These bytes say nothing about faces."
    assert response.headers["connection"] == "close"


async def test_a_batch_has_a_result_or_a_problem_a_photo(client: httpx.AsyncClient) -> None:
    photos = [photo_of(faces=1), BAD_PHOTO, photo_of(faces=3)]
    content = form(*[("photo", "x", photo) for photo in photos])
    response = await client.post("/v1/photos:batch", content=content, headers=FORM)
    assert response.status_code == 200
    one, bad, three = response.json()["results"]
    assert (len(one["faces"]), len(three["faces"])) == (1, 3)
    assert list(bad) == ["error"]
    assert bad["error"]["status"] == 400
    assert response.json()["id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/photos", "/v1/photos:batch"])
async def test_another_content_type_is_415(path: str, client: httpx.AsyncClient) -> None:
    response = await client.post(path, content=b"{}", headers={"content-type": "text/plain"})
    problem(response, 415, "unsupported-image")


async def test_a_field_of_another_name_is_422(client: httpx.AsyncClient) -> None:
    content = form(("picture", "x", photo_of(faces=1)))
    response = await client.post("/v1/photos", content=content, headers=FORM)
    assert "'picture'" in problem(response, 422, "invalid-request")["detail"]


async def test_more_photos_than_a_batch_takes_are_422() -> None:
    async with client_of(started_plane(Settings(max_photos=2))) as client:
        content = form(*[("photo", "x", b"1")] * 3)
        response = await client.post("/v1/photos:batch", content=content, headers=FORM)
    problem(response, 422, "invalid-request")


async def test_a_body_that_is_too_large_is_413() -> None:
    async with client_of(started_plane(Settings(max_bytes=10))) as client:
        response = await client.post("/v1/photos", content=b"x" * 11, headers=JPEG)
    assert "10 bytes" in problem(response, 413, "image-too-large")["detail"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "retry_after"),
    [
        (Overloaded("full", 3.0), 503, "overloaded", "3"),
        (ModelUnavailable("gone"), 503, "model-unavailable", "10"),
        (DeadlineExceeded("late"), 504, "deadline-exceeded", None),
    ],
)
async def test_what_the_stages_raise_is_a_problem(
    error: Exception, status: int, kind: str, retry_after: str | None
) -> None:
    plane = started_plane(pipeline=PhotoPipeline(FailingDetector(error), FakeClassifier()))
    async with client_of(plane) as client:
        response = await client.post("/v1/photos", content=b"x", headers=JPEG)
    problem(response, status, kind)
    assert response.headers.get("retry-after") == retry_after


async def test_a_bug_is_a_problem_too_and_keeps_its_reason_to_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = ZeroDivisionError("a secret")
    plane = started_plane(pipeline=PhotoPipeline(FailingDetector(error), FakeClassifier()))
    async with client_of(plane) as client:
        response = await client.post("/v1/photos", content=b"x", headers=JPEG)
    problem(response, 500, "internal-server-error")
    assert "secret" not in response.text
    logged = capsys.readouterr().out
    assert "unexpected_error" in logged
    assert response.headers["x-request-id"] in logged


async def test_past_its_deadline_a_request_is_504() -> None:
    pipeline = PhotoPipeline(StuckDetector(), FakeClassifier())
    plane = started_plane(Settings(deadline_seconds=0.01), pipeline)
    async with client_of(plane) as client:
        response = await client.post("/v1/photos", content=b"x", headers=JPEG)
    problem(response, 504, "deadline-exceeded")


async def test_beyond_the_limit_a_request_is_503_with_retry_after() -> None:
    detector = StuckDetector()
    plane = started_plane(Settings(max_in_flight=1), PhotoPipeline(detector, FakeClassifier()))
    async with client_of(plane) as client:
        first = asyncio.create_task(client.post("/v1/photos", content=b"x", headers=JPEG))
        await detector.asked.wait()
        response = await client.post("/v1/photos", content=b"x", headers=JPEG)
        first.cancel()
    problem(response, 503, "overloaded")
    assert response.headers["retry-after"] == "1"


async def test_before_the_models_are_there_a_photo_is_503() -> None:
    async with client_of(DataPlane(Settings())) as client:
        response = await client.post("/v1/photos", content=b"x", headers=JPEG)
        problem(response, 503, "model-unavailable")
        problem(await client.get("/readyz"), 503, "model-unavailable")
        assert (await client.get("/livez")).status_code == 200


async def test_an_unknown_path_is_404(client: httpx.AsyncClient) -> None:
    detail = problem(await client.get("/v3/photos"), 404, "not-found")["detail"]
    assert detail == "Not Found. The API is described at /docs."


async def test_another_method_is_405_and_says_which(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/photos")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


async def test_the_root_leads_to_the_documentation(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert response.status_code == 307
    assert response.headers["location"] == "docs"


async def test_the_documentation_loads_nothing_from_another_host(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(assets) == 3
    for asset in [*assets, "openapi.json"]:
        assert (await client.get(f"/{asset}")).status_code == 200


async def test_openapi_describes_both_routes_with_bodies_and_problems(
    client: httpx.AsyncClient,
) -> None:
    spec = (await client.get("/openapi.json")).json()
    assert spec["openapi"].startswith("3.")
    one, batch = (spec["paths"][path]["post"] for path in ("/v1/photos", "/v1/photos:batch"))
    assert list(one["requestBody"]["content"]) == [
        "image/*",
        "application/octet-stream",
        "multipart/form-data",
    ]
    assert list(batch["requestBody"]["content"]) == ["multipart/form-data"]
    for route in (one, batch):
        assert list(route["responses"]) == ["200", "400", "413", "415", "422", "503", "504"]
        for status, response in route["responses"].items():
            kind = "application/json" if status == "200" else "application/problem+json"
            assert list(response["content"]) == [kind]


async def test_every_reference_in_openapi_leads_somewhere(client: httpx.AsyncClient) -> None:
    spec = (await client.get("/openapi.json")).json()
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(spec)))
    assert references
    for reference in references:
        place = spec
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


async def test_ids_that_are_made_up_are_uuids(client: httpx.AsyncClient) -> None:
    response = await client.get("/livez")
    assert str(uuid.UUID(response.headers["x-request-id"])) == response.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/photos/", "/docs/", "/bentoml/", "/schema.json"])
async def test_no_path_leads_to_another_host_or_to_bentoml(
    path: str, client: httpx.AsyncClient
) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"

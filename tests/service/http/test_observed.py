import httpx
import pytest
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from emotion.photo import PhotoPipeline
from service.settings import Settings
from tests.service.fake_stages import FailingDetector, photo_of
from tests.service.http.client import client_of, started_plane
from tests.service.told_spans import ToldSpans, parent_of, trace_of
from tests.stages import FakeClassifier

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
JPEG = {"content-type": "image/jpeg"}


def counted(registry: CollectorRegistry) -> dict[tuple[str, str, str], float]:
    return {
        (one.labels["method"], one.labels["route"], one.labels["status"]): one.value
        for metric in registry.collect()
        for one in metric.samples
        if one.name == "rapt_http_requests_total"
    }


async def test_requests_are_counted_by_route_whatever_stands_in_their_paths(
    settings: Settings, registry: CollectorRegistry
) -> None:
    async with client_of(started_plane(settings), registry) as client:
        await client.post("/v1/photos", content=photo_of(1), headers=JPEG)
        for job_id in ("a", "b"):
            await client.get(f"/v1/videos/{job_id}")
        await client.get("/v2/models/emotion")
        await client.post("/v2/models/mood/infer", content=b"{}")
        await client.put("/v1/photos")
    assert counted(registry) == {
        ("POST", "/v1/photos", "200"): 1,
        ("GET", "/v1/videos/{job_id}", "404"): 2,
        ("GET", "/v2/models/{model}", "200"): 1,
        ("POST", "/v2/models/{model}/infer", "400"): 1,
        ("PUT", "/v1/photos", "405"): 1,
    }


async def test_what_has_no_route_and_no_known_method_is_one_of_all_others(
    registry: CollectorRegistry,
) -> None:
    async with client_of(started_plane(), registry) as client:
        await client.get("/made-up")
        await client.request("MAKE", "/also-made-up")
    assert counted(registry) == {
        ("GET", "other", "404"): 1,
        ("other", "other", "404"): 1,
    }


async def test_probes_are_neither_counted_nor_told(
    registry: CollectorRegistry, told: ToldSpans
) -> None:
    async with client_of(started_plane(), registry) as client:
        for path in ("/livez", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"):
            assert (await client.get(path)).status_code == 200
    assert counted(registry) == {}
    assert told.end() == {}


async def test_a_request_is_told_in_its_callers_trace_by_its_route_alone(
    settings: Settings, told: ToldSpans
) -> None:
    async with client_of(started_plane(settings)) as client:
        await client.get("/v1/videos/anna?limit=7", headers={"traceparent": TRACEPARENT})
    one = told.end()["GET /v1/videos/{job_id}"]
    assert (one.kind, trace_of(one), parent_of(one)) == (SpanKind.SERVER, TRACE, 0xB7AD6B7169203331)
    assert one.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/videos/{job_id}",
        "http.response.status_code": 404,
    }
    assert one.status.is_unset


async def test_a_bug_fails_its_span(told: ToldSpans) -> None:
    pipeline = PhotoPipeline(FailingDetector(ZeroDivisionError()), FakeClassifier())
    async with client_of(started_plane(pipeline=pipeline)) as client:
        await client.post("/v1/photos", content=b"a", headers=JPEG)
    one = told.end()["POST /v1/photos"]
    assert one.attributes is not None
    assert one.attributes["error.type"] == "500"
    assert not one.status.is_ok


@pytest.mark.parametrize("headers", [{}, {"traceparent": "made up"}])
async def test_without_a_trace_of_the_callers_one_begins(
    headers: dict[str, str], told: ToldSpans
) -> None:
    async with client_of(started_plane()) as client:
        await client.post("/v1/photos", content=photo_of(1), headers={**JPEG, **headers})
    assert parent_of(told.end()["POST /v1/photos"]) is None


async def test_what_is_logged_names_the_callers_trace_though_nobody_is_told() -> None:
    pipeline = PhotoPipeline(FailingDetector(ZeroDivisionError()), FakeClassifier())
    async with client_of(started_plane(pipeline=pipeline)) as client:
        with capture_logs([merge_contextvars]) as logs:
            headers = {**JPEG, "traceparent": TRACEPARENT, "x-request-id": "r1"}
            response: httpx.Response = await client.post(
                "/v1/photos", content=b"a", headers=headers
            )
    assert response.status_code == 500
    assert [(one["request_id"], one["trace_id"]) for one in logs] == [("r1", TRACE)]

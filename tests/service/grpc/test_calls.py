import uuid

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from tritonclient.grpc import service_pb2 as pb

from emotion.errors import InvalidRequest
from emotion.photo import PhotoPipeline
from tests.service.fake_stages import FailingDetector, photo_of
from tests.service.grpc.client import asking, channel_of, failure_of, settings_of, stub_of
from tests.service.http.client import started_plane
from tests.service.told_spans import ToldSpans, parent_of, trace_of
from tests.stages import FakeClassifier

TRACE = "0af7651916cd43dd8448eb211c80319c"


async def id_of(channel: grpc.aio.Channel, *offered: tuple[str, str | bytes]) -> str:
    call = stub_of(channel).ServerLive(pb.ServerLiveRequest(), metadata=offered)
    await call
    request_id: str = dict(await call.trailing_metadata())["x-request-id"]
    return request_id


async def test_a_plain_id_of_the_callers_is_kept_and_any_other_replaced() -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        assert await id_of(channel, ("x-request-id", "job-7.part_2")) == "job-7.part_2"
        for offered in ("a b", "x" * 65, "<script>"):
            replaced = await id_of(channel, ("x-request-id", offered))
            assert replaced == str(uuid.UUID(replaced))
        assert await id_of(channel) != await id_of(channel)


async def test_whatever_is_logged_on_a_calls_way_carries_its_id() -> None:
    pipeline = PhotoPipeline(FailingDetector(ZeroDivisionError()), FakeClassifier())
    async with channel_of(started_plane(settings_of(), pipeline)) as channel:
        with capture_logs([merge_contextvars]) as logs:
            metadata = (("x-request-id", "r1"),)
            await failure_of(stub_of(channel).ModelInfer(asking(b"a"), metadata=metadata))
    assert [(one["event"], one["request_id"]) for one in logs] == [("unexpected_error", "r1")]


async def test_calls_are_counted_by_method_and_status() -> None:
    registry = CollectorRegistry()
    async with channel_of(started_plane(settings_of()), registry) as channel:
        stub = stub_of(channel)
        for _ in range(2):
            await stub.ModelInfer(asking(photo_of(1)))
        await failure_of(stub.ModelInfer(asking(photo_of(1), model_name="mood")))
        health = health_pb2_grpc.HealthStub(channel)
        await failure_of(health.Check(health_pb2.HealthCheckRequest(service="mood")))
        await failure_of(channel.unary_unary("/made.Up/Method")(b""))

    def count(method: str, code: str) -> float | None:
        labels = {"method": method, "code": code}
        return registry.get_sample_value("rapt_grpc_calls_total", labels)

    assert count("ModelInfer", "OK") == 2
    assert count("ModelInfer", "INVALID_ARGUMENT") == 1
    assert count("Check", "NOT_FOUND") == 1
    assert "Method" not in {
        sample.labels.get("method") for metric in registry.collect() for sample in metric.samples
    }


async def test_how_long_calls_took_is_counted_and_of_streams_it_is_not() -> None:
    registry = CollectorRegistry()
    async with channel_of(started_plane(settings_of()), registry) as channel:
        await stub_of(channel).ModelInfer(asking(photo_of(1)))
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        watch.cancel()
    seconds = {
        sample.labels["method"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "rapt_grpc_call_seconds_count"
    }
    assert seconds == {"ModelInfer": 1}


async def test_an_inference_is_told_in_its_callers_trace(told: ToldSpans) -> None:
    async with channel_of(started_plane(settings_of())) as channel:
        stub = stub_of(channel)
        metadata = (("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"),)
        await stub.ModelInfer(asking(photo_of(1)), metadata=metadata)
        await stub.ServerLive(pb.ServerLiveRequest(), metadata=metadata)
    one = told.end()["grpc ModelInfer"]
    assert (one.kind, trace_of(one), parent_of(one)) == (SpanKind.SERVER, TRACE, 0xB7AD6B7169203331)
    assert one.attributes == {
        "rpc.system": "grpc",
        "rpc.method": "ModelInfer",
        "rpc.grpc.status_code": 0,
    }


@pytest.mark.parametrize(
    ("error", "code", "failed"),
    [(InvalidRequest("no"), 3, None), (ZeroDivisionError(), 13, "INTERNAL")],
)
async def test_what_the_server_is_to_blame_for_fails_its_span(
    error: Exception, code: int, failed: str | None, told: ToldSpans
) -> None:
    pipeline = PhotoPipeline(FailingDetector(error), FakeClassifier())
    async with channel_of(started_plane(settings_of(), pipeline)) as channel:
        await failure_of(stub_of(channel).ModelInfer(asking(b"a")))
    facts = told.end()["grpc ModelInfer"].attributes
    assert facts is not None
    assert (facts["rpc.grpc.status_code"], facts.get("error.type")) == (code, failed)


async def test_whatever_is_logged_on_a_calls_way_names_its_trace() -> None:
    pipeline = PhotoPipeline(FailingDetector(ZeroDivisionError()), FakeClassifier())
    async with channel_of(started_plane(settings_of(), pipeline)) as channel:
        with capture_logs([merge_contextvars]) as logs:
            metadata = (("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"),)
            await failure_of(stub_of(channel).ModelInfer(asking(b"a"), metadata=metadata))
    assert [one["trace_id"] for one in logs] == [TRACE]


async def test_a_long_message_is_cut_so_that_it_arrives() -> None:
    error = InvalidRequest("é" * 5000)
    pipeline = PhotoPipeline(FailingDetector(error), FakeClassifier())
    async with channel_of(started_plane(settings_of(), pipeline)) as channel:
        failure = await failure_of(stub_of(channel).ModelInfer(asking(b"a")))
    assert failure[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "é" * 1000)

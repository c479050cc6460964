"""One trace goes through all processes that work on a request, or on the job that it asked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2_grpc

from tests.clips import steady, walking, write_clip
from tests.e2e.servers import Server, press_ctrl_c, rapt, until
from tests.otlp_collector import Collector, otlp_collector
from tests.service.grpc.client import asking
from tests.triton_server import TritonServer

TRACES = ("0af7651916cd43dd8448eb211c80319c", "1" * 32, "2" * 32)
CALLER = "b7ad6b7169203331"
DETECTOR, CLASSIFIER = "face_detector", "emotion_classifier"


def traceparent(trace: str) -> dict[str, str]:
    return {"traceparent": f"00-{trace}-{CALLER}-01"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with otlp_collector() as one:
        yield one


def tree(collector: Collector, trace: str) -> set[tuple[str, str, str]]:
    """The spans of a trace: name, the name of its parent, who told it."""
    spans = [one for one in collector.spans() if one.trace_id == trace]
    names = {one.span_id: one.name for one in spans}
    return {(one.name, names.get(one.parent_id, one.parent_id), one.part) for one in spans}


def events(server: Server) -> list[dict[str, Any]]:
    """The lines of the log that are events."""
    lines = [line for line in list(server.lines) if line.startswith('{"')]
    return [json.loads(line) for line in lines]


EXPECTED = {
    "inline": {
        ("detect", "{root}", "front"),
        (f"{DETECTOR} batch", "detect", "front"),
        ("classify", "{root}", "front"),
        (f"{CLASSIFIER} batch", "classify", "front"),
    },
    "runners": {
        ("detect", "{root}", "front"),
        (f"{DETECTOR} batch", "detect", "detector"),
        ("classify", "{root}", "front"),
        (f"{CLASSIFIER} batch", "classify", "classifier"),
    },
    "triton": {
        ("detect", "{root}", "front"),
        (f"triton {DETECTOR}", "detect", "front"),
        ("classify", "{root}", "front"),
        (f"triton {CLASSIFIER}", "classify", "front"),
    },
}


# Beside the one of most processes, which `make test` has.
OTHERS = [pytest.param(name, marks=pytest.mark.soak) for name in ("inline", "triton")]


@pytest.fixture(params=["runners", *OTHERS])
def traced(
    request: pytest.FixtureRequest, folder: Path, collector: Collector
) -> Iterator[tuple[Server, str]]:
    """A server that tells the collector, and its topology."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    if request.param == "triton":
        triton: TritonServer = request.getfixturevalue("triton")
        variables["RAPT_TRITON_ADDRESS"] = triton.address
    with rapt(request.param, folder, place=None, **variables) as server:
        yield server, request.param


def test_one_trace_goes_through_front_stages_and_worker(
    traced: tuple[Server, str], collector: Collector, face_jpeg: bytes, tmp_path: Path
) -> None:
    server, topology = traced
    http, rpc, job = TRACES
    httpx.post(
        f"{server.url}/v1/photos?who=anna",
        content=face_jpeg,
        headers={"content-type": "image/jpeg", **traceparent(http)},
        timeout=60,
    ).raise_for_status()
    with grpc.insecure_channel(server.grpc_target) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        stub.ModelInfer(asking(face_jpeg), metadata=list(traceparent(rpc).items()), timeout=60)
    clip = write_clip(tmp_path / "anna.mp4", walking(10), steady(10, 1))
    sent = httpx.post(
        f"{server.url}/v1/videos",
        content=clip.read_bytes(),
        headers={"content-type": "video/mp4", "x-request-id": "r-1", **traceparent(job)},
        timeout=60,
    )
    place = sent.headers["location"]
    until(lambda: server.get(place).json()["state"] == "done", 60, server)
    press_ctrl_c(server)

    for trace, root in ((http, "POST /v1/photos"), (rpc, "grpc ModelInfer")):
        assert tree(collector, trace) == {
            (root, CALLER, "front"),
            *((name, parent.format(root=root), part) for name, parent, part in EXPECTED[topology]),
        }
    assert tree(collector, job) == {
        ("POST /v1/videos", CALLER, "front"),
        ("job", "POST /v1/videos", "worker"),
        *((name, "job", "worker") for name in ("open", "segment", "report")),
    }
    told = {one["event"]: one for one in events(server)}
    for event in ("job_taken", "job_done"):
        assert (told[event]["request_id"], told[event]["trace_id"]) == ("r-1", job)
    check_nothing_personal(collector, place.rpartition("/")[2])


FACTS = {
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "rapt.job.id",
    "rapt.job.kind",
    "rapt.rows",
    "rapt.segment",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.system",
}


def check_nothing_personal(collector: Collector, job_id: str) -> None:
    """Spans have these facts and no other, and no word of a caller's."""
    spans = collector.spans()
    assert set().union(*(one.facts for one in spans)) <= FACTS
    assert {one.facts["rapt.job.id"] for one in spans if "rapt.job.id" in one.facts} == {job_id}
    for word in (b"anna", b"happy", b"neutral", b"127.0.0.1", b"r-1"):
        assert word not in collector.raw


def test_without_a_collector_a_callers_trace_is_in_the_log_of_the_worker(
    folder: Path, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "a.mp4", walking(10), steady(10, 1))
    with rapt("inline", folder) as server:
        headers = {"content-type": "video/mp4", **traceparent(TRACES[0])}
        sent = httpx.post(
            f"{server.url}/v1/videos", content=clip.read_bytes(), headers=headers, timeout=60
        )
        place = sent.headers["location"]
        until(lambda: server.get(place).json()["state"] == "done", 60, server)
        press_ctrl_c(server)
    (done,) = [one for one in events(server) if one["event"] == "job_done"]
    assert done["trace_id"] == TRACES[0]


def test_what_was_told_last_arrives_though_the_service_ends(
    topology: str, folder: Path, collector: Collector, face_jpeg: bytes
) -> None:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        # Longer than any test.
        "OTEL_BSP_SCHEDULE_DELAY": "600000",
    }
    with rapt(topology, folder, place=None, **variables) as server:
        headers = {"content-type": "image/jpeg", **traceparent(TRACES[0])}
        httpx.post(f"{server.url}/v1/photos", content=face_jpeg, headers=headers, timeout=60)
        press_ctrl_c(server)
    root = "POST /v1/photos"
    assert tree(collector, TRACES[0]) == {
        (root, CALLER, "front"),
        *((name, parent.format(root=root), part) for name, parent, part in EXPECTED[topology]),
    }


def test_a_collector_that_is_away_fails_nothing(folder: Path, face_jpeg: bytes) -> None:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with rapt("inline", folder, place=None, **variables) as server:
        assert server.post(face_jpeg).status_code == 200
        press_ctrl_c(server)

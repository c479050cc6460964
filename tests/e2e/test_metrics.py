"""A running service exposes what the page lists, and the dashboard finds all that it asks for.

Metrics stay small, whatever anybody asks for.
"""

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from k8s.checks.metrics import Metric, listed
from tests.e2e.grpc_calls import infer
from tests.e2e.servers import Server, until
from tests.k8s.monitoring.files import alert_expressions, dashboard_expressions, metrics_of
from tests.prometheus_server import Prometheus, prometheus
from tests.service.jobs.fake_analyses import fake_video
from tests.triton_server import TritonServer

_BUCKETS = {"le"}
_ALWAYS = "always"
# Queries for what these servers don't have: a registry, Kafka.
CONDITIONAL = {"Model registry A", "Model registry B", "Model registry C", "Kafka A"}
_TRITONS = {"Triton: seconds in the queue A", "Triton: requests that wait A"}
NOT_THERE = {
    "inline": _TRITONS,
    "runners": _TRITONS,
    "triton": {"Batch p95, waiting left out A", "Rows a batch A", "New versions A"},
}


@pytest.fixture
def topology(request: pytest.FixtureRequest, server: Server) -> str:
    """Of ``server``."""
    name: str = request.node.callspec.params["server"]
    return name


@pytest.fixture
def used(server: Server, face_jpeg: bytes) -> Server:
    """A server that was asked for everything that it counts."""
    assert server.post(face_jpeg).status_code == 200
    assert server.post(b"a", kind="text/plain").status_code == 415
    with grpc.insecure_channel(server.grpc_target) as channel:
        infer(channel, face_jpeg).result(30)
    headers = {"content-type": "video/mp4"}
    sent = httpx.post(f"{server.url}/v1/videos", content=fake_video(), headers=headers, timeout=30)
    place = sent.headers["location"]
    until(lambda: server.get(place).json()["state"] == "failed", 60, server)
    return server


def exposed(server: Server) -> dict[str, Metric]:
    families = text_string_to_metric_families(server.get("/metrics").text)
    found = {}
    for one in families:
        labels = frozenset({label for sample in one.samples for label in sample.labels} - _BUCKETS)
        name = f"{one.name}_total" if one.type == "counter" else one.name
        found[name] = Metric(name, one.type, labels)
    return found


def expected(topology: str) -> dict[str, Metric]:
    """What a server of a topology lists, without a registry and without Kafka."""
    return {
        one.name: one
        for one, where in listed().items()
        if where == _ALWAYS or topology in where.split(", ")
    }


def test_what_is_exposed_is_what_is_listed(used: Server, topology: str) -> None:
    ours = {name: one for name, one in exposed(used).items() if name.startswith("rapt_")}
    assert ours == expected(topology)


@pytest.fixture
def scraped(
    used: Server, topology: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Prometheus]:
    """Prometheus, which has scraped the server, and Triton where there is one."""
    targets = {"rapt-front": f"127.0.0.1:{used.port}"}
    if topology == "triton":
        triton: TritonServer = request.getfixturevalue("triton")
        targets["rapt-triton"] = f"127.0.0.1:{triton.ports.metrics}"
    with prometheus(tmp_path, targets) as one:
        one.wait_for_scrapes(len(targets))
        yield one


def test_every_query_of_the_dashboard_finds_something(scraped: Prometheus, topology: str) -> None:
    ours = set(expected(topology))
    tritons = topology == "triton"
    queries = {
        name: expression
        for name, expression in dashboard_expressions("1m").items()
        if all(
            tritons if metric.startswith("nv_") else metric in ours
            for metric in metrics_of(expression)
        )
    }
    assert set(dashboard_expressions()) - set(queries) == NOT_THERE[topology] | CONDITIONAL
    assert [name for name, query in queries.items() if not scraped.query(query)] == []


def test_no_alert_fires_of_a_service_that_runs(scraped: Prometheus) -> None:
    firing = [name for name, query in alert_expressions().items() if scraped.query(query)]
    assert firing == []


def series(server: Server) -> int:
    lines = server.get("/metrics").text.splitlines()
    return sum(not line.startswith("#") for line in lines)


def test_paths_that_somebody_makes_up_leave_no_trace(server: Server, face_jpeg: bytes) -> None:
    assert server.post(face_jpeg).status_code == 200
    assert server.get("/made-up").status_code == 404
    before = series(server)
    with httpx.Client(base_url=server.url) as client:
        for number in range(50):
            assert client.get(f"/made-up-{number}").status_code == 404
    assert series(server) == before
    assert "made-up" not in server.get("/metrics").text

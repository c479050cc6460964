"""Names of metrics that autoscalers may ask for: Triton has them, and the service's are found."""

from urllib.request import urlopen

from k8s.checks.metrics import TRITON_METRICS, Asked, asked_by, series
from tests.triton_server import TritonServer


def test_a_real_triton_has_those_that_are_taken_for_its_own(triton: TritonServer) -> None:
    address = f"http://127.0.0.1:{triton.ports.metrics}/metrics"
    with urlopen(address, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    assert {line.partition("{")[0] for line in lines} >= TRITON_METRICS


def test_the_services_are_found_in_their_list_as_prometheus_names_them() -> None:
    assert series().keys() >= {"rapt_jobs", "rapt_photos_total", "rapt_request_seconds_bucket"}
    assert series().keys() & {"rapt_photos", "rapt_request_seconds"} == set()


def test_an_expressions_metrics_are_found_with_what_narrows_them() -> None:
    expression = (
        'sum by (route) (rate(rapt_http_requests_total{status=~"5..|[}]",namespace="rapt"}[5m])) '
        "/ on () group_left(pod) max(rapt_workers offset 10m) > 1e3 or vector(0)"
    )
    assert list(asked_by(expression)) == [
        Asked("rapt_http_requests_total", {"status": "5..|[}]", "namespace": "rapt"}),
        Asked("rapt_workers", {}),
    ]

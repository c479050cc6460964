"""Names of metrics that autoscalers may ask for: Triton has them, and the service's are found."""

from urllib.request import urlopen

from k8s.checks.scaling import TRITON_METRICS, counted
from tests.triton_server import TritonServer


def test_a_real_triton_has_those_that_are_taken_for_its_own(triton: TritonServer) -> None:
    address = f"http://127.0.0.1:{triton.ports.metrics}/metrics"
    with urlopen(address, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    assert {line.partition("{")[0] for line in lines} >= TRITON_METRICS


def test_the_services_are_found_in_its_code() -> None:
    assert counted() >= {"rapt_jobs", "rapt_photos", "rapt_request_seconds"}

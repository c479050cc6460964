"""Ways that several pods need, or that have more than one fault."""

from typing import Any

import pytest

from k8s.checks.manifests import Problem, Rendered
from k8s.checks.rendering import FOLDER, render
from k8s.checks.rules import broken_rules
from tests.k8s.planted import CONTAINER, NOTHING, added, changed, put, without

FRONT, WORKER, MIGRATE = "Deployment/rapt-front", "StatefulSet/rapt-worker", "Job/rapt-migrate"
DATABASE = "no NetworkPolicy lets it call port 5432, which its RAPT_DATABASE_URL names"
BUCKET = "no NetworkPolicy lets it call port 443, which its RAPT_STORAGE_URL names"
WHO = ("spec", "podSelector", "matchExpressions", 0, "values")


def planted(rendered: Rendered, where: str, steps: tuple[str | int, ...], value: Any) -> Rendered:  # noqa: ANN401  # any JSON
    """Return manifests with a value changed."""
    return changed(rendered, where, lambda body: put(body, steps, value))


def with_address(rendered: Rendered, name: str, value: str) -> Rendered:
    """Return manifests whose front is told of an address more."""
    return planted(rendered, FRONT, (*CONTAINER, "env", 2), {"name": name, "value": value})


def test_without_a_policy_of_the_storage_nobody_reaches_database_and_bucket(
    production: Rendered,
) -> None:
    assert broken_rules(without(production, "NetworkPolicy/storage")) == {
        "calls_are_let_through": [
            Problem(FRONT, DATABASE),
            Problem(FRONT, BUCKET),
            Problem(WORKER, DATABASE),
            Problem(WORKER, BUCKET),
            Problem(MIGRATE, DATABASE),
        ]
    }


def test_a_policy_of_the_storage_that_forgets_workers_is_noticed(production: Rendered) -> None:
    forgetful = planted(production, "NetworkPolicy/storage", WHO, ["front", "migration"])
    assert broken_rules(forgetful) == {
        "calls_are_let_through": [Problem(WORKER, DATABASE), Problem(WORKER, BUCKET)]
    }


def test_names_over_tcp_alone_are_noticed(production: Rendered) -> None:
    steps = ("spec", "egress", 0, "ports", 0)
    problems = broken_rules(planted(production, "NetworkPolicy/dns", steps, NOTHING))
    assert list(problems) == ["calls_are_let_through"]
    assert {one.subject for one in problems["calls_are_let_through"]} == {FRONT, WORKER, MIGRATE}


def test_a_port_that_nobody_is_let_in_to_is_noticed(production: Rendered) -> None:
    closed = planted(production, "NetworkPolicy/front", ("spec", "ingress", 0), NOTHING)
    for one in ("HTTPRoute/rapt-front", "GRPCRoute/rapt-front", "NetworkPolicy/front-from-gateway"):
        closed = without(closed, one)
    assert broken_rules(closed) == {
        "served_ports_are_open": [
            Problem(
                "Service/rapt-front-grpc",
                "no NetworkPolicy lets anybody reach port grpc of Deployment/rapt-front",
            )
        ]
    }


def test_a_broker_at_a_port_that_is_shut_is_noticed() -> None:
    kafka = render(FOLDER / "examples" / "kafka")
    (config,) = (one for one in kafka.of("ConfigMap") if one.name.startswith("rapt-settings"))
    steps = ("data", "RAPT_KAFKA_SERVERS")
    problems = broken_rules(planted(kafka, str(config), steps, "one:9092,kafka.example.com:19092"))
    assert problems == {
        "calls_are_let_through": [
            Problem(
                "Deployment/rapt-kafka",
                "its RAPT_KAFKA_SERVERS names one:9092, and there is no such Service",
            ),
            Problem(
                "Deployment/rapt-kafka",
                "no NetworkPolicy lets it call kafka.example.com:19092, which its "
                "RAPT_KAFKA_SERVERS names",
            ),
        ]
    }


def test_a_policy_of_nobody_is_noticed(production: Rendered) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "more"},
        "spec": {
            "podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
            "policyTypes": ["Egress"],
        },
    }
    assert broken_rules(added(production, policy)) == {
        "selectors_find_pods": [Problem("NetworkPolicy/more", "it selects no pod: a In ['b']")]
    }


@pytest.mark.parametrize(
    ("to", "address"),
    [
        ({"namespaceSelector": {}}, "http://collector.monitoring.svc:4318"),
        (
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
            "http://collector.monitoring:4318/",
        ),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, "http://collector.example.com:4318"),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, "http://10.1.2.3:4318"),
    ],
)
def test_a_collector_that_is_let_out_to_is_right(
    production: Rendered, to: dict[str, Any], address: str
) -> None:
    told = with_address(production, "OTEL_EXPORTER_OTLP_ENDPOINT", address)
    rule = {"to": [to], "ports": [{"port": 4317, "endPort": 4318}]}
    assert broken_rules(planted(told, "NetworkPolicy/front", ("spec", "egress", 1), rule)) == {}


@pytest.mark.parametrize("address", ["rapt-triton.rapt:8001", "rapt-triton.rapt.svc:8001"])
def test_triton_by_a_longer_name_is_right(production: Rendered, address: str) -> None:
    steps = (*CONTAINER, "env", 0, "value")
    assert broken_rules(planted(production, FRONT, steps, address)) == {}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_collector_in_the_same_pod_needs_no_policy(production: Rendered, host: str) -> None:
    address = f"http://{host}:4318"
    told = with_address(production, "OTEL_EXPORTER_OTLP_ENDPOINT", address)
    assert broken_rules(told) == {}


def test_a_bucket_elsewhere_than_at_its_vendors_needs_no_way_there(production: Rendered) -> None:
    told = with_address(production, "AWS_ENDPOINT_URL", "http://10.1.2.3:9000")
    storage = planted(
        told, "NetworkPolicy/storage", ("spec", "egress", 1, "ports", 0, "port"), 9000
    )
    assert Problem(FRONT, BUCKET) not in broken_rules(storage)["calls_are_let_through"]
    assert Problem(WORKER, BUCKET) in broken_rules(storage)["calls_are_let_through"]

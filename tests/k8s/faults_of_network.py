"""What the rules of network policies are proved by; see ``test_rules``."""

from tests.k8s.planted import CONTAINER, NOTHING, Fault

_FRONT, _WORKER = "Deployment/rapt-front", "StatefulSet/rapt-worker"
_TRITON, _MIGRATE = "Deployment/rapt-triton", "Job/rapt-migrate"
_FROM = ("spec", "ingress", 0, "from")
_ENV = (*CONTAINER, "env")
_OF_FRONT, _OF_TRITON = "NetworkPolicy/front", "NetworkPolicy/triton"
_NAMES = "no NetworkPolicy lets it ask for names (port 53, UDP and TCP)"
_ANYBODY = "it lets in everybody: name who may come"
_NAME = "kubernetes.io/metadata.name"
_COMPONENT = "app.kubernetes.io/component"

OF_NETWORK = [
    Fault(
        "all_is_denied_at_first", "NetworkPolicy/default-deny", ("spec", "policyTypes"),
        ["Ingress"], "none denies egress of all pods", subject="NetworkPolicy",
    ),
    Fault(
        "open_ports_are_served", _OF_TRITON, ("spec", "ingress", 0, "ports", 1),
        {"port": 9000}, "it opens port 9000, on which Deployment/rapt-triton doesn't listen",
    ),
    Fault(
        "open_ports_are_served", _OF_TRITON, ("spec", "ingress", 0, "ports"), NOTHING,
        "it opens port of any number, on which Deployment/rapt-triton doesn't listen",
    ),
    Fault(
        "open_ports_are_served", _OF_FRONT, ("spec", "ingress", 0, "ports", 0, "protocol"), "UDP",
        "it opens port http of UDP, on which Deployment/rapt-front doesn't listen",
    ),
    Fault(
        "calls_are_let_through", _OF_FRONT, ("spec", "egress", 0, "ports", 0, "port"), 8000,
        "no NetworkPolicy lets it call rapt-triton:8001, which its RAPT_TRITON_ADDRESS names",
        subject=_FRONT,
    ),
    Fault(
        "calls_are_let_through", _OF_TRITON,
        (*_FROM, 0, "podSelector", "matchLabels", _COMPONENT), "worker",
        "no NetworkPolicy lets Deployment/rapt-front call it at port grpc", subject=_TRITON,
    ),
    Fault(
        "calls_are_let_through", "NetworkPolicy/dns",
        ("spec", "podSelector", "matchExpressions", 0, "values"), ["triton", "migration"], _NAMES,
        subject=_MIGRATE,
    ),
    Fault(
        "calls_are_let_through", _FRONT, (*_ENV, 0, "value"), "rapt-tritn:8001",
        "its RAPT_TRITON_ADDRESS names rapt-tritn:8001, and there is no such Service",
    ),
    Fault(
        "calls_are_let_through", _FRONT, (*_ENV, 0, "value"), "rapt-triton.rapt.svc:8000",
        "its RAPT_TRITON_ADDRESS names rapt-triton.rapt.svc:8000, and Service/rapt-triton has no "
        "such port",
    ),
    Fault(
        "calls_are_let_through", _WORKER, (*_ENV, 1), {"name": "PGPORT", "value": "6432"},
        "no NetworkPolicy lets it call port 6432, which its RAPT_DATABASE_URL names",
    ),
    Fault(
        "calls_are_let_through", _WORKER, (*_ENV, 1),
        {"name": "AWS_ENDPOINT_URL", "value": "http://minio.storage.svc:9000"},
        "no NetworkPolicy lets it call minio.storage.svc:9000, which its AWS_ENDPOINT_URL names",
    ),
    Fault(
        "calls_are_let_through", _FRONT, (*_ENV, 2),
        {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://10.1.2.3:4318"},
        "no NetworkPolicy lets it call 10.1.2.3:4318, which its OTEL_EXPORTER_OTLP_ENDPOINT names",
    ),
    Fault(
        "callers_from_elsewhere_are_let_in", _OF_FRONT, ("spec", "ingress", 1), NOTHING,
        "no NetworkPolicy lets Prometheus reach port http of Deployment/rapt-front",
        subject="ServiceMonitor/rapt-front",
    ),
    Fault(
        "callers_from_elsewhere_are_let_in", "HTTPRoute/rapt-front",
        ("spec", "parentRefs", 0, "namespace"), "gateway",
        "no NetworkPolicy lets gateway reach port http of Deployment/rapt-front",
    ),
    Fault(
        "nobody_else_is_let_in", _OF_FRONT, _FROM, [{"namespaceSelector": {}}], _ANYBODY,
    ),
    Fault(
        "nobody_else_is_let_in", _OF_FRONT, _FROM,
        [{"namespaceSelector": {"matchExpressions": [{"key": _NAME, "operator": "Exists"}]}}],
        _ANYBODY,
    ),
    Fault(
        "nobody_else_is_let_in", _OF_FRONT, _FROM, [{"ipBlock": {"cidr": "0.0.0.0/0"}}], _ANYBODY,
    ),
    Fault(
        "nobody_else_is_let_in", _OF_FRONT, _FROM, [{"ipBlock": {"cidr": "::/0"}}], _ANYBODY,
    ),
    Fault("nobody_else_is_let_in", _OF_FRONT, _FROM, NOTHING, _ANYBODY),
    Fault(
        "networks_are_networks", "NetworkPolicy/storage",
        ("spec", "egress", 1, "to", 0, "ipBlock", "except", 0), "169.254.0.0/33",
        "169.254.0.0/33 is no network, as in 10.1.0.0/16",
    ),
]  # fmt: skip

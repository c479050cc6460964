"""What the rules of safety are proved by, but for the network's; see ``test_rules``."""

from tests.k8s.planted import CONTAINER, NOTHING, POD, Fault

_FRONT, _WORKER = "Deployment/rapt-front", "StatefulSet/rapt-worker"
_TRITON = "Deployment/rapt-triton"
_MODELS = (*POD, "initContainers", 0)
_SECURITY = (*CONTAINER, "securityContext")

OF_SAFETY = [
    Fault(
        "pods_are_restricted", _FRONT, (*_SECURITY, "readOnlyRootFilesystem"), NOTHING,
        "container front may write to its image: pods here are restricted",
    ),
    Fault(
        "pods_are_restricted", _FRONT, (*_SECURITY, "capabilities"), NOTHING,
        "container front keeps capabilities: pods here are restricted",
    ),
    Fault(
        "pods_are_restricted", _WORKER, (*POD, "hostNetwork"), True,  # noqa: FBT003  # JSON's
        "it shares a namespace of its host: pods here are restricted",
    ),
    Fault(
        "pods_are_restricted", _WORKER, (*POD, "volumes", 1),
        {"name": "scratch", "hostPath": {"path": "/tmp"}},  # noqa: S108  # a bad example
        "it has a volume of its host: pods here are restricted",
    ),
    Fault(
        "pods_are_restricted", _TRITON, (*POD, "automountServiceAccountToken"), NOTHING,
        "it is given a token of Kubernetes: pods here are restricted",
    ),
    Fault(
        "namespaces_are_restricted", "Namespace/rapt",
        ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "baseline",
        "pod-security.kubernetes.io/enforce is not restricted",
    ),
    Fault(
        "secrets_are_elsewhere", _WORKER, (*CONTAINER, "env", 1),
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "sesame"},
        "AWS_SECRET_ACCESS_KEY is a secret: have ExternalSecret fetch it",
    ),
    Fault(
        "secrets_are_elsewhere", _WORKER, (*CONTAINER, "env", 1),
        {"name": "RAPT_DATABASE_URL", "value": "postgresql://me:sesame@db.example.com/rapt"},
        "RAPT_DATABASE_URL is a secret: have ExternalSecret fetch it",
    ),
    Fault(
        "nothing_is_exposed", "Service/rapt-front", ("spec", "type"), "LoadBalancer",
        "a LoadBalancer is reached from outside of the cluster",
    ),
    Fault(
        "nothing_is_exposed", _FRONT, (*CONTAINER, "ports", 0, "hostPort"), 3000,
        "port http is its host's: reached from outside",
    ),
    Fault(
        "pods_are_restricted", _FRONT, (*POD, "securityContext", "runAsUser"), 0,
        "container front may run as root: pods here are restricted",
    ),
    Fault(
        "pods_are_restricted", _FRONT, (*_SECURITY, "runAsNonRoot"), False,  # noqa: FBT003  # JSON's
        "container front may run as root: pods here are restricted",
    ),
    Fault(
        "pods_are_restricted", _FRONT, (*_SECURITY, "seccompProfile"), {"type": "Unconfined"},
        "container front's seccompProfile is not RuntimeDefault: pods here are restricted",
    ),
    Fault(
        "nothing_is_exposed", "Service/rapt-front", ("spec", "externalIPs"), ["203.0.113.1"],
        "with externalIPs it is reached from outside of the cluster",
    ),
    Fault(
        "figures_stay_inside", "HTTPRoute/rapt-front",
        ("spec", "rules", 0, "matches", 4), {"path": {"type": "PathPrefix", "value": "/metrics/"}},
        "it leads to /metrics, which is for the cluster alone",
    ),
    Fault(
        "secrets_are_elsewhere", _FRONT, (*CONTAINER, "env", 2),
        {"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": "api-key=sesame"},
        "OTEL_EXPORTER_OTLP_HEADERS is a secret: have ExternalSecret fetch it",
    ),
    Fault(
        "secrets_are_elsewhere", _FRONT, (*CONTAINER, "env", 2),
        {"name": "RAPT_KAFKA_OPTIONS", "value": '{"sasl.password": "sesame"}'},
        "RAPT_KAFKA_OPTIONS is a secret: have ExternalSecret fetch it",
    ),
    Fault(
        "secrets_are_elsewhere", _TRITON, (*_MODELS, "command", 3), "--password=sesame",
        "a secret is among what models runs: have ExternalSecret fetch it",
    ),
]  # fmt: skip

"""What the rules about autoscalers are proved by, KEDA's and Kubernetes' own."""

from tests.k8s.planted import NOTHING, Fault

_FRONT, _WORKER = "ScaledObject/rapt-front", "ScaledObject/rapt-worker"
_TRITON = "ScaledObject/rapt-triton"
_PODS = "Deployment/rapt-front"
_TRIGGER = ("spec", "triggers", 0, "metadata")
_SCALER = "HorizontalPodAutoscaler"

OF_SCALING = [
    Fault(
        "scaling_has_room", _FRONT, ("spec", "minReplicaCount"), 20,
        "it scales from 20 to 20, which is no range",
    ),
    Fault(
        "one_scales_a_workload", _WORKER,
        ("spec", "scaleTargetRef", "kind"), "Deployment",
        "it scales Deployment/rapt-worker, which is not there",
    ),
    Fault(
        "one_scales_a_workload", _PODS, ("spec", "replicas"), 3,
        "it has replicas, and ScaledObject/rapt-front has them too: they would fight",
    ),
    Fault(
        "scaling_metrics_exist", _FRONT,
        (*_TRIGGER, "query"),
        'sum(rapt_requests_waiting{namespace="rapt"})',
        "it scales on rapt_requests_waiting, which nobody counts",
    ),
    Fault(
        "triggers_name_their_authentication", _WORKER,
        ("spec", "triggers", 0, "authenticationRef", "name"), "rapt",
        "there is no TriggerAuthentication rapt",
    ),
    Fault(
        "triggers_name_their_authentication", "TriggerAuthentication/rapt-database",
        ("spec", "secretTargetRef", 0, "key"), "DATABASE_URL",
        "no secret rapt-secrets has the key DATABASE_URL",
    ),
    Fault(
        "fields_are_known", _FRONT, (*_TRIGGER, "ignoreNullValues"), NOTHING,
        "spec.triggers.0.metadata: 'ignoreNullValues' is a required property",
    ),
    Fault(
        "fields_are_known", _TRITON, (*_TRIGGER, "ignoreNullValues"), "true",
        "spec.triggers.0.metadata.ignoreNullValues: 'false' was expected",
    ),
    Fault(
        "queries_ask_of_their_namespace", _FRONT, ("metadata", "namespace"), "emotions",
        "its query asks of the namespace rapt, and it is in emotions: patch the query",
    ),
    Fault(
        "queries_ask_of_their_namespace", _FRONT, (*_TRIGGER, "query"),
        "sum(rapt_requests_in_flight)",
        "its query asks of the namespace (any), and it is in rapt: patch the query",
    ),
    Fault(
        "scaling_has_room", _FRONT, ("spec", "minReplicaCount"), NOTHING,
        "it scales to no pod at all: then no metric says that one is needed, and nobody sweeps or "
        "tells of ends",
    ),
    Fault(
        "scaling_metrics_exist", _FRONT, (*_TRIGGER, "query"),
        'sum(rpt_requests_in_flight{namespace="rapt"})',
        "it scales on rpt_requests_in_flight, which nobody counts",
    ),
    Fault(
        "scaling_metrics_exist", _FRONT, (*_TRIGGER, "query"),
        'sum(rapt_requests_in_flight_total{namespace="rapt"})',
        "it scales on rapt_requests_in_flight_total, which nobody counts",
    ),
    Fault(
        "scaling_metrics_exist", _FRONT, (*_TRIGGER, "query"),
        'sum(rapt_requests_in_flight{namespace="rapt", state="waiting"})',
        "it scales on rapt_requests_in_flight by state, which it hasn't",
    ),
    Fault(
        "targets_are_above_zero", _FRONT, (*_TRIGGER, "threshold"), "0",
        "its threshold is 0: a number above 0 is needed",
    ),
    Fault(
        "targets_are_above_zero", _WORKER, (*_TRIGGER, "targetQueryValue"), "many",
        "its targetQueryValue is many: a number above 0 is needed",
    ),
    Fault(
        "scaling_rows_exist", _WORKER, (*_TRIGGER, "query"),
        "SELECT count(*) FROM job WHERE state = 'queued'",
        "its query is refused: no such table: job",
    ),
    Fault(
        "scaling_rows_exist", _WORKER, (*_TRIGGER, "query"),
        "SELECT count(*) FROM jobs WHERE stat = 'queued'",
        "its query is refused: no such column: stat",
    ),
]  # fmt: skip

OF_ADAPTERS = [
    Fault(
        "scaling_has_room", f"{_SCALER}/rapt-worker", ("spec", "minReplicas"), 30,
        "it scales from 30 to 20, which is no range",
    ),
    Fault(
        "scaling_metrics_exist", f"{_SCALER}/rapt-front",
        ("spec", "metrics", 0, "pods", "metric", "name"), "rapt_requests_waiting",
        "it scales on rapt_requests_waiting, which nobody counts",
    ),
    Fault(
        "scaling_metrics_exist", f"{_SCALER}/rapt-worker",
        ("spec", "metrics", 0, "external", "metric", "name"), "jobs_video_seconds",
        "it scales on jobs_video_seconds, which nobody counts",
    ),
    Fault(
        "scaling_metrics_exist", f"{_SCALER}/rapt-worker",
        ("spec", "metrics", 0, "external", "metric", "selector", "matchExpressions", 0, "key"),
        "stat", "it scales on rapt_jobs_video_seconds by stat, which it hasn't",
    ),
    Fault(
        "targets_are_above_zero", f"{_SCALER}/rapt-front",
        ("spec", "metrics", 0, "pods", "target", "averageValue"), "0",
        "its averageValue is 0: a number above 0 is needed",
    ),
    Fault(
        "one_scales_a_workload", f"{_SCALER}/rapt-front", ("spec", "scaleTargetRef", "name"),
        "rapt-triton",
        f"it scales Deployment/rapt-triton, and so does {_SCALER}/rapt-front: they would fight",
        subject=f"{_SCALER}/rapt-triton",
    ),
]  # fmt: skip

"""What the rules about memory, workloads and budgets are proved by."""

from tests.k8s.planted import CONTAINER, NOTHING, POD, Fault

_FRONT, _MIGRATE, _TRITON = "Deployment/rapt-front", "Job/rapt-migrate", "Deployment/rapt-triton"
_WORKER = "StatefulSet/rapt-worker"
_MODELS = (*POD, "initContainers", 0)
_REQUEST = (*CONTAINER, "resources", "requests", "memory")
_LIMIT = (*CONTAINER, "resources", "limits", "memory")
_BUDGET = "PodDisruptionBudget/rapt"
_BLOCKED = "no pod may ever be moved, so that no node can be emptied"
_HEADLESS = "clusterIP is not None: gRPC would stay on one pod, and pods would have no names"

OF_ROOM = [
    Fault(
        "resources_are_asked_for", _MIGRATE, (*CONTAINER, "resources", "limits"), NOTHING,
        "container migrate has no limits of memory",
    ),
    Fault(
        "resources_are_asked_for", _TRITON, (*_MODELS, "resources", "requests"), {},
        "container models has no requests of cpu and memory",
    ),
    Fault(
        "requests_are_within_limits", _FRONT, (*CONTAINER, "resources", "requests", "memory"),
        "3Gi", "container front requests 3Gi of memory, above its limit of 2560Mi",
    ),
    Fault(
        "budgets_leave_room", "PodDisruptionBudget/rapt-front", ("spec", "minAvailable"), 1,
        "it has both bounds, or none: exactly one of minAvailable and maxUnavailable",
    ),
    Fault(
        "budgets_leave_room", "PodDisruptionBudget/rapt-front", ("spec", "maxUnavailable"), 0,
        "maxUnavailable is 0: no pod may ever be moved, so that no node can be emptied",
    ),
    Fault(
        "budgets_leave_room", f"{_BUDGET}-front", ("spec", "maxUnavailable"), "one",
        "maxUnavailable is one: neither a number of pods nor a percentage",
    ),
    Fault(
        "quantities_are_quantities", _FRONT, _LIMIT, "2GB",
        "container front's memory: '2GB' is no quantity",
    ),
    Fault(
        "memory_is_enough", _FRONT, _REQUEST, "768m",
        "container front's requests of memory are 768m, less than the 390 MiB that it takes",
    ),
    Fault(
        "memory_is_enough", _WORKER, _REQUEST, "256Mi",
        "container worker's requests of memory are 256Mi, less than the 382 MiB that it takes",
    ),
    Fault(
        "memory_is_enough", _TRITON, (*_MODELS, "resources", "requests", "memory"), 128,
        "container models's requests of memory are 128, less than the 4 MiB that it takes",
    ),
    *(
        Fault("clients_find_all_pods", f"Service/{name}", ("spec", "clusterIP"), NOTHING, _HEADLESS)
        for name in ("rapt-front-grpc", "rapt-triton", "rapt-worker")
    ),
    Fault(
        "namespaces_are_made", _FRONT, ("metadata", "namespace"), "default",
        "it is in the namespace default, which nothing here makes",
    ),
    Fault(
        "jobs_end", _MIGRATE, (*POD, "restartPolicy"), "Always",
        "its restartPolicy is Always: OnFailure or Never lets it end",
    ),
]  # fmt: skip

OF_BUDGETS = [
    Fault("", f"{_BUDGET}-front", ("spec", "minAvailable"), 2, f"minAvailable is 2: {_BLOCKED}"),
    Fault(
        "", f"{_BUDGET}-front", ("spec", "minAvailable"), "90%", f"minAvailable is 90%: {_BLOCKED}"
    ),
    Fault("", f"{_BUDGET}-worker", ("spec", "minAvailable"), 1, f"minAvailable is 1: {_BLOCKED}"),
]

OF_LOCAL = [
    Fault(
        "workloads_have_pods", _FRONT, ("spec", "replicas"), 0,
        "replicas is 0: nobody does its work",
    ),
    Fault(
        "workloads_have_pods", _FRONT, ("spec", "replicas"), 3,
        "3 pods share the claim rapt-home, which one machine alone may mount",
    ),
]  # fmt: skip

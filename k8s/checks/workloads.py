"""Workloads: where they are, how many pods they have, and how those are found, moved and ended."""

from collections.abc import Iterator
from math import ceil

from k8s.checks.manifests import Manifest, Problem, Rendered
from k8s.checks.scaling import SCALERS, least_of, scaled_by

_GRPC = "kubernetes.io/h2c"
_MANY = ("Deployment", "StatefulSet")


def namespaces_are_made(rendered: Rendered) -> Iterator[Problem]:
    """Pods are in a namespace that is made here, and so is known to be restricted."""
    made = rendered.names("Namespace")
    for pod in rendered.pods():
        if pod.owner.namespace not in made:
            yield pod.problem(
                f"it is in the namespace {pod.owner.namespace}, which nothing here makes"
            )


def workloads_have_pods(rendered: Rendered) -> Iterator[Problem]:
    """There is a pod of each, and one alone where a volume is one machine's."""
    single = {
        one.name
        for one in rendered.of("PersistentVolumeClaim")
        if not {"ReadWriteMany", "ReadOnlyMany"} & set(one.spec.get("accessModes", []))
    }
    for pod in rendered.pods():
        if pod.owner.kind not in _MANY:
            continue
        most = max(pod.owner.spec.get("replicas", 1), _least(rendered, pod.owner))
        if most < 1:
            yield pod.problem("replicas is 0: nobody does its work")
        for volume in pod.spec.get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if most > 1 and claim in single:
                yield pod.problem(
                    f"{most} pods share the claim {claim}, which one machine alone may mount"
                )


def budgets_leave_room(rendered: Rendered) -> Iterator[Problem]:
    """A disruption budget has one bound, and lets a node be emptied, with the fewest pods too."""
    for budget in rendered.of("PodDisruptionBudget"):
        bounds = [one for one in ("minAvailable", "maxUnavailable") if one in budget.spec]
        if len(bounds) != 1:
            yield budget.problem(
                "it has both bounds, or none: exactly one of minAvailable and maxUnavailable"
            )
            continue
        (bound,), value = bounds, str(budget.spec[bounds[0]])
        if not value.removesuffix("%").isdecimal():
            yield budget.problem(f"{bound} is {value}: neither a number of pods nor a percentage")
            continue
        pods = [_least(rendered, pod.owner) for pod in rendered.pods_of(budget.spec["selector"])]
        fewest = min(pods, default=0)
        room = fewest - _of(value, fewest) if bound == "minAvailable" else _of(value, 100)
        if pods and room <= 0:
            yield budget.problem(
                f"{bound} is {value}: no pod may ever be moved, so that no node can be emptied"
            )


def clients_find_all_pods(rendered: Rendered) -> Iterator[Problem]:
    """Services of gRPC are headless, as a connection stays on one pod; those that name pods too."""
    naming = {one.spec.get("serviceName") for one in rendered.of("StatefulSet")}
    for service in rendered.of("Service"):
        ports = service.spec.get("ports", [])
        is_grpc = any(port.get("appProtocol") == _GRPC for port in ports)
        if (is_grpc or service.name in naming) and service.spec.get("clusterIP") != "None":
            yield service.problem(
                "clusterIP is not None: gRPC would stay on one pod, and pods would have no names"
            )


def jobs_end(rendered: Rendered) -> Iterator[Problem]:
    """A Job's pod is not started again when it has done its work: a server refuses one that is."""
    for pod in rendered.pods():
        policy = pod.spec.get("restartPolicy", "Always")
        if pod.owner.kind == "Job" and policy == "Always":
            yield pod.problem("its restartPolicy is Always: OnFailure or Never lets it end")


def _least(rendered: Rendered, owner: Manifest) -> int:
    """Return how few pods there may be of a workload."""
    scalers = [one for one in rendered.of(*SCALERS) if scaled_by(one) == str(owner)]
    own: int = owner.spec.get("replicas", 1)
    return min(map(least_of, scalers), default=own)


def _of(bound: str, pods: int) -> int:
    """Return how many pods a bound of a budget is; percentages are rounded up."""
    return ceil(int(bound[:-1]) * pods / 100) if bound.endswith("%") else int(bound)

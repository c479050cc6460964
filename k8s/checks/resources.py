"""What pods ask for, and how much room disruptions are given."""

import re
from collections.abc import Iterator

from k8s.checks.manifests import Body, Problem, Rendered

_ASKED = ("cpu", "memory")
_BOUNDED = ("memory",)
# With these no pod may ever be moved.
_BLOCKING = {"minAvailable": ("100%",), "maxUnavailable": ("0", "0%")}
_QUANTITY = re.compile(r"(?P<number>[0-9.]+)(?P<unit>[a-zA-Z]*)")
# See kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
_UNITS = {
    **{"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12},
    **{"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40},
}


def amount(quantity: str | int) -> float:
    """Return how much a quantity of Kubernetes is: cores, or bytes."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is no quantity")
    return float(match["number"]) * _UNITS[match["unit"]]


def resources_are_asked_for(rendered: Rendered) -> Iterator[Problem]:
    """Each container says what it needs, and has a bound of memory: else one starves the others."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            resources = container.get("resources", {})
            for what, names in (("requests", _ASKED), ("limits", _BOUNDED)):
                missing = [name for name in names if name not in resources.get(what, {})]
                if missing:
                    yield pod.problem(
                        f"container {container['name']} has no {what} of {' and '.join(missing)}"
                    )


def requests_are_within_limits(rendered: Rendered) -> Iterator[Problem]:
    """No request is above its limit: a server refuses such pods, but not who makes them."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            resources = container.get("resources", {})
            limits: Body = resources.get("limits", {})
            for name, asked in resources.get("requests", {}).items():
                if name in limits and amount(asked) > amount(limits[name]):
                    yield pod.problem(
                        f"container {container['name']} requests {asked} of {name}, above its "
                        f"limit of {limits[name]}"
                    )


def budgets_leave_room(rendered: Rendered) -> Iterator[Problem]:
    """A disruption budget has one bound, and lets a node be emptied."""
    for budget in rendered.of("PodDisruptionBudget"):
        bounds = [one for one in ("minAvailable", "maxUnavailable") if one in budget.spec]
        if len(bounds) != 1:
            yield budget.problem(
                "it has both bounds, or none: exactly one of minAvailable and maxUnavailable"
            )
        elif str(budget.spec[bounds[0]]) in _BLOCKING[bounds[0]]:
            yield budget.problem(
                f"{bounds[0]} is {budget.spec[bounds[0]]}: no pod may ever be moved, so that no "
                "node can be emptied"
            )

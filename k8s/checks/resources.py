"""What pods ask for, and their bounds."""

import re
from collections.abc import Iterator

from k8s.checks.manifests import Body, Problem, Rendered

_ASKED = ("cpu", "memory")
_BOUNDED = ("memory",)
_MEBI = 2**20
# What each was seen to take (README.md, "What a pod is given"), a front with Triton.
_SEEN = {"front": 390, "triton": 492, "worker": 382}
_LEAST = 4  # Of whatever else there is: less is a wrong unit.
# See kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
_UNITS = {
    **{"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0},
    **{"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18},
    **{"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60},
}
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))"
    rf"(?:(?P<exponent>[eE][+-]?\d+)|(?P<unit>{'|'.join(_UNITS)}))"
)


def amount(quantity: str | int) -> float:
    """Return how much a quantity of Kubernetes is: cores, or bytes."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is no quantity")
    return float(match["number"] + (match["exponent"] or "")) * _UNITS[match["unit"] or ""]


def quantities_are_quantities(rendered: Rendered) -> Iterator[Problem]:
    """What containers ask for are amounts as Kubernetes writes them, which is in no schema."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            for asked in container.get("resources", {}).values():
                for name, quantity in asked.items():
                    try:
                        amount(quantity)
                    except ValueError as error:
                        yield pod.problem(f"container {container['name']}'s {name}: {error}")


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


def memory_is_enough(rendered: Rendered) -> Iterator[Problem]:
    """No container has less memory than it was seen to take, by a wrong unit for one."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            is_main = container["name"] == pod.component
            needed = _SEEN.get(pod.component, _LEAST) if is_main else _LEAST
            for what, asked in container.get("resources", {}).items():
                if "memory" in asked and amount(asked["memory"]) < needed * _MEBI:
                    yield pod.problem(
                        f"container {container['name']}'s {what} of memory are {asked['memory']}, "
                        f"less than the {needed} MiB that it takes"
                    )

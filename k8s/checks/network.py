"""Network policies: all is closed, each port that is served is open, and nothing else is."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from k8s.checks.manifests import Body, Manifest, Pod, Problem, Rendered, selects

_DNS = 53


def all_is_denied_at_first(rendered: Rendered) -> Iterator[Problem]:
    """A policy that selects every pod opens nothing, in either direction."""
    if not rendered.is_shared:
        return
    for direction in ("Ingress", "Egress"):
        closing = [
            one
            for one in rendered.of("NetworkPolicy")
            if not one.spec["podSelector"]
            and direction in one.spec.get("policyTypes", [])
            and not one.spec.get(direction.lower())
        ]
        if not closing:
            yield Problem("NetworkPolicy", f"none denies {direction.lower()} of all pods")


def served_ports_are_open(rendered: Rendered) -> Iterator[Problem]:
    """Who serves a port by a Service is reached at it."""
    if not rendered.is_shared:
        return
    for service in rendered.of("Service"):
        for pod, port in product(
            rendered.pods_behind(service),
            service.spec.get("ports", []),
        ):
            name = port.get("targetPort")
            if name in pod.ports and not any(
                _is_open(rule, name, pod.ports[name])
                for policy in _policies_of(rendered, pod)
                for rule in policy.spec.get("ingress", [])
            ):
                yield service.problem(
                    f"no NetworkPolicy lets anybody reach port {name} of {pod.owner}"
                )


def open_ports_are_served(rendered: Rendered) -> Iterator[Problem]:
    """What is open to come in is a port that somebody listens on."""
    for policy in rendered.of("NetworkPolicy"):
        for pod in rendered.pods_of(policy.spec["podSelector"]):
            for rule in policy.spec.get("ingress", []):
                for port in rule.get("ports", [{}]):
                    if port.get("port") not in {*pod.ports, *pod.ports.values()}:
                        yield policy.problem(
                            f"it opens port {port.get('port', 'of any number')}, on which "
                            f"{pod.owner} doesn't listen"
                        )


def calls_are_let_out(rendered: Rendered) -> Iterator[Problem]:
    """Who is told of a Service is let out to it, and whoever is let out finds names."""
    if not rendered.is_shared:
        return
    services = {one.name: one for one in rendered.of("Service")}
    for pod in rendered.pods():
        rules = [
            rule for policy in _policies_of(rendered, pod) for rule in policy.spec.get("egress", [])
        ]
        if any(rule for rule in rules) and not any(_is_open(rule, None, _DNS) for rule in rules):
            yield pod.problem("no NetworkPolicy lets it ask for names (port 53)")
        for container in pod.containers:
            for variable in container.get("env", []):
                name, _, number = str(variable.get("value", "")).partition(":")
                if name in services and number.isdecimal():
                    reached = rendered.pods_behind(services[name])
                    if not _lets_out(rules, reached, int(number)):
                        yield pod.problem(
                            f"no NetworkPolicy lets it call {name}:{number}, which its "
                            f"{variable['name']} names"
                        )


def _policies_of(rendered: Rendered, pod: Pod) -> list[Manifest]:
    return [
        one for one in rendered.of("NetworkPolicy") if selects(one.spec["podSelector"], pod.labels)
    ]


def _lets_out(rules: list[Body], pods: list[Pod], number: int) -> bool:
    return all(
        any(
            _is_open(rule, None, number)
            and any(selects(peer["podSelector"], pod.labels) for peer in _inside(rule))
            for rule in rules
        )
        for pod in pods
    )


def _inside(rule: Body) -> list[Body]:
    """Return the peers that are pods of the same namespace."""
    return [
        peer
        for peer in rule.get("to", [])
        if "podSelector" in peer and "namespaceSelector" not in peer
    ]


def _is_open(rule: Body, name: str | None, number: int | None) -> bool:
    """Say whether a rule has a port; one without any has all."""
    if "ports" not in rule:
        return True
    known: set[Any] = {name, number} - {None}
    return any(port.get("port") in known for port in rule["ports"])

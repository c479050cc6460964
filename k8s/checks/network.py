"""Network policies: all is closed, each way that is needed is open, and nothing else is."""

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import IPv4Network, IPv6Network

from k8s.checks.calls import Call, behind, calls_of
from k8s.checks.manifests import Body, Manifest, Pod, Problem, Rendered, selects
from k8s.checks.policies import (
    blocks_of,
    has_port,
    lets_namespace,
    lets_out,
    lets_pod,
    network,
    rules_of,
)

_DNS = 53
_NOBODYS = "-"  # No namespace is called so.
# Addresses that are nobody's in the world; RFC 1918 and RFC 4193.
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_PRIVATE_6 = IPv6Network("fc00::/7")


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
        for port in service.spec.get("ports", []):
            for pod, name, number in behind(rendered, service, port):
                rules = rules_of(rendered, pod, "ingress")
                if not any(has_port(rule, number, name) for rule in rules):
                    yield service.problem(
                        f"no NetworkPolicy lets anybody reach port {name} of {pod.owner}"
                    )


def open_ports_are_served(rendered: Rendered) -> Iterator[Problem]:
    """What is open to come in is a port that somebody listens on."""
    for policy in rendered.of("NetworkPolicy"):
        for pod in rendered.pods_of(policy.spec["podSelector"]):
            for rule in policy.spec.get("ingress", []):
                for port in rule.get("ports", [{}]):
                    number, protocol = port.get("port", "of any number"), port.get("protocol")
                    is_listened_on = number in {*pod.ports, *pod.ports.values()}
                    if not is_listened_on or protocol not in (None, "TCP"):
                        words = f"{number} of {protocol}" if is_listened_on else number
                        yield policy.problem(
                            f"it opens port {words}, on which {pod.owner} doesn't listen"
                        )


def calls_are_let_through(rendered: Rendered) -> Iterator[Problem]:
    """Who is told of another is let out to it, and in there; whoever is let out finds names."""
    if not rendered.is_shared:
        return
    for pod in rendered.pods():
        rules = rules_of(rendered, pod, "egress")
        if any(rules) and not all(
            any(has_port(rule, _DNS, protocol=one) for rule in rules) for one in ("UDP", "TCP")
        ):
            yield pod.problem("no NetworkPolicy lets it ask for names (port 53, UDP and TCP)")
        for container in pod.containers:
            for call in calls_of(rendered, container):
                yield from _let_through(rendered, pod, rules, call)


def callers_from_elsewhere_are_let_in(rendered: Rendered) -> Iterator[Problem]:
    """Gateways reach what their routes lead to, and Prometheus reaches what it is to scrape."""
    if not rendered.is_shared:
        return
    services = list(rendered.of("Service"))
    gateways: set[str] = set()
    for route in rendered.of("GRPCRoute", "HTTPRoute"):
        named = {one["namespace"] for one in route.spec["parentRefs"] if "namespace" in one}
        gateways |= named
        led_to = {
            (one["name"], one["port"])
            for rule in route.spec["rules"]
            for one in rule["backendRefs"]
        }
        for service, port in _ports(services):
            if (service.name, port["port"]) in led_to:
                for namespace in sorted(named):
                    is_met = partial(lets_namespace, namespace=namespace, side="from")
                    yield from _shut(rendered, route, (service, port), is_met, namespace)
    for monitor in rendered.of("ServiceMonitor"):
        names = {endpoint["port"] for endpoint in monitor.spec["endpoints"]}
        for service, port in _ports(services):
            if selects(monitor.spec["selector"], service.labels) and port.get("name") in names:
                is_met = partial(_lets_others, gateways=gateways)
                yield from _shut(rendered, monitor, (service, port), is_met, "Prometheus")


def nobody_else_is_let_in(rendered: Rendered) -> Iterator[Problem]:
    """Who is let in is told from others: not everybody, no whole network of the world's."""
    if not rendered.is_shared:
        return
    for policy in rendered.of("NetworkPolicy"):
        for rule in policy.spec.get("ingress", []):
            for peer in rule.get("from") or [{}]:
                if _is_anybody(peer):
                    yield policy.problem("it lets in everybody: name who may come")


def networks_are_networks(rendered: Rendered) -> Iterator[Problem]:
    """Networks are written as such: no schema looks at them."""
    for policy in rendered.of("NetworkPolicy"):
        for block in blocks_of(policy):
            for cidr in (block["cidr"], *block.get("except", [])):
                if network(cidr) is None:
                    yield policy.problem(f"{cidr} is no network, as in 10.1.0.0/16")


def _let_through(rendered: Rendered, pod: Pod, rules: list[Body], call: Call) -> Iterator[Problem]:
    service = call.service(rendered)
    if service is None and call.is_short:
        yield pod.problem(f"its {call.variable} names {call}, and there is no such Service")
        return
    shut = f"no NetworkPolicy lets it call {call}, which its {call.variable} names"
    if service is None or not service.spec.get("selector"):
        if not any(lets_out(rule, call) for rule in rules):
            yield pod.problem(shut)
        return
    ports = [port for port in service.spec.get("ports", []) if port["port"] == call.port]
    if not ports:
        yield pod.problem(f"its {call.variable} names {call}, and {service} has no such port")
    for reached, name, number in (one for port in ports for one in behind(rendered, service, port)):
        if not any(
            has_port(rule, number, name) and lets_pod(rule, reached.labels, "to") for rule in rules
        ):
            yield pod.problem(shut)
        if not any(
            has_port(rule, number, name) and lets_pod(rule, pod.labels, "from")
            for rule in rules_of(rendered, reached, "ingress")
        ):
            yield reached.problem(f"no NetworkPolicy lets {pod.owner} call it at port {name}")


def _ports(services: list[Manifest]) -> Iterator[tuple[Manifest, Body]]:
    return ((one, port) for one in services for port in one.spec.get("ports", []))


def _shut(
    rendered: Rendered,
    asking: Manifest,
    asked: tuple[Manifest, Body],
    is_met: Callable[[Body], bool],
    who: str,
) -> Iterator[Problem]:
    """Say of each pod behind a Service's port that no rule lets somebody reach it."""
    for pod, name, number in behind(rendered, *asked):
        rules = rules_of(rendered, pod, "ingress")
        if not any(has_port(rule, number, name) and is_met(rule) for rule in rules):
            yield asking.problem(f"no NetworkPolicy lets {who} reach port {name} of {pod.owner}")


def _lets_others(rule: Body, gateways: set[str]) -> bool:
    """Say whether a rule lets in another namespace than the gateways': where Prometheus is."""
    return "from" not in rule or any(
        "namespaceSelector" in peer
        and not any(lets_namespace({"from": [peer]}, one, "from") for one in gateways)
        for peer in rule["from"]
    )


def _is_anybody(peer: Body) -> bool:
    if "ipBlock" in peer:
        block = network(peer["ipBlock"]["cidr"])
        if isinstance(block, IPv4Network):
            return not any(map(block.subnet_of, _PRIVATE))
        return block is not None and not block.subnet_of(_PRIVATE_6)
    if "namespaceSelector" in peer:
        return lets_namespace({"from": [peer]}, _NOBODYS, "from")
    return not peer

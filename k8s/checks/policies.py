"""What network policies let through."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from k8s.checks.calls import Call
from k8s.checks.manifests import Body, Manifest, Pod, Rendered, selects

_NAMESPACE = "kubernetes.io/metadata.name"


def rules_of(rendered: Rendered, pod: Pod, direction: str) -> list[Body]:
    """Return what is let through to a pod (``ingress``) or out of it (``egress``)."""
    return [
        rule
        for policy in rendered.of("NetworkPolicy")
        if selects(policy.spec["podSelector"], pod.labels)
        for rule in policy.spec.get(direction, [])
    ]


def has_port(rule: Body, number: int, name: str = "", protocol: str = "TCP") -> bool:
    """Say whether a rule has a port; one without any has all."""
    return "ports" not in rule or any(
        port.get("protocol", "TCP") == protocol
        and (
            port.get("port", number) in (number, name)
            or (
                isinstance(port["port"], int)
                and port["port"] <= number <= port.get("endPort", port["port"])
            )
        )
        for port in rule["ports"]
    )


def lets_pod(rule: Body, labels: Mapping[str, str], side: str) -> bool:
    """Say whether a rule's ``side`` (``from``, ``to``) has pods of this namespace with labels."""
    return side not in rule or any(
        "podSelector" in peer
        and "namespaceSelector" not in peer
        and selects(peer["podSelector"], labels)
        for peer in rule[side]
    )


def lets_namespace(rule: Body, namespace: str, side: str) -> bool:
    """Say whether a rule's ``side`` has pods of a namespace, all or some."""
    return side not in rule or any(
        "namespaceSelector" in peer and selects(peer["namespaceSelector"], {_NAMESPACE: namespace})
        for peer in rule[side]
    )


def lets_out(rule: Body, call: Call) -> bool:
    """Say whether a rule lets a pod call what isn't here: in another namespace, or outside.

    Of a name its addresses aren't known: any network will do.
    """
    if not has_port(rule, call.port):
        return False
    if call.namespace and lets_namespace(rule, call.namespace, "to"):
        return True
    if call.is_inside:
        return False
    blocks = [peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer]
    return "to" not in rule or any(_is_in(call.host, block) for block in blocks)


def blocks_of(policy: Manifest) -> Iterator[Body]:
    """Give the networks that a policy names, in either direction."""
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in policy.spec.get(direction, []):
            yield from (peer["ipBlock"] for peer in rule.get(side, []) if "ipBlock" in peer)


def network(cidr: str) -> IPv4Network | IPv6Network | None:
    """Read a network; None: it is none, as ``networks_are_networks`` says."""
    try:
        return ip_network(cidr, strict=False)
    except ValueError:
        return None


def _is_in(host: str, block: Body) -> bool:
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return True
    inside, *without = (network(one) for one in (block["cidr"], *block.get("except", [])))
    return (
        inside is not None
        and address in inside
        and not any(one is not None and address in one for one in without)
    )

"""What pods may do, what may be read in manifests, and what may be reached from outside."""

import re
from collections.abc import Iterator

from k8s.checks.commands import words
from k8s.checks.manifests import TEMPLATES, Body, Problem, Rendered
from k8s.checks.probes import inner_paths

_HOST = ("hostNetwork", "hostPID", "hostIPC")
# kubernetes.io/docs/concepts/security/pod-security-standards, "Restricted"; hostPath is not in it.
_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_FETCH = "have ExternalSecret fetch it"
_SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|CREDENTIAL|HEADERS|_KEY|ACCESS_KEY_ID)$")
# In an address, in options (JSON or name=value), and what only a secret begins with.
_SECRET_VALUE = re.compile(
    r"://[^/@\s]*:[^/@\s]+@|(password|secret|token|authorization)(\"\s*:|=)|\bBearer\s"
    r"|\bwhsec_|PRIVATE KEY-----",
    re.IGNORECASE,
)
_KINDS = frozenset(
    {
        "ConfigMap",
        "ExternalSecret",
        "GRPCRoute",
        "Gateway",
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "PrometheusRule",
        "ScaledObject",
        "Secret",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
        "TriggerAuthentication",
        *TEMPLATES,
    }
)


def kinds_are_looked_at(rendered: Rendered) -> Iterator[Problem]:
    """Nothing is there that no rule looks at: rights in the cluster, say, which nobody needs."""
    for manifest in rendered.manifests:
        if manifest.kind not in _KINDS:
            yield manifest.problem(f"no rule looks at a {manifest.kind}")


def pods_are_restricted(rendered: Rendered) -> Iterator[Problem]:
    """Pods meet the Restricted standard, and write nothing but what is mounted."""
    for pod in rendered.pods():
        wanted = {
            "it shares a namespace of its host": not any(pod.spec.get(one) for one in _HOST),
            "it has a volume of its host": all(
                set(volume) - {"name"} <= _VOLUMES for volume in pod.spec.get("volumes", [])
            ),
            "it is given a token of Kubernetes": pod.spec.get("automountServiceAccountToken")
            is False,
        }
        for container in pod.all_containers:
            wanted |= _of_container(pod.spec.get("securityContext", {}), container)
        for reason, is_met in wanted.items():
            if not is_met:
                yield pod.problem(f"{reason}: pods here are restricted")


def namespaces_are_restricted(rendered: Rendered) -> Iterator[Problem]:
    """Kubernetes itself refuses pods that are not restricted."""
    for namespace in rendered.of("Namespace"):
        if namespace.labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield namespace.problem("pod-security.kubernetes.io/enforce is not restricted")


def secrets_are_elsewhere(rendered: Rendered) -> Iterator[Problem]:
    """No manifest has a secret's value."""
    for secret in rendered.of("Secret"):
        yield secret.problem(f"a secret is in the manifests: {_FETCH}")
    for config in rendered.of("ConfigMap"):
        for name, value in config.body.get("data", {}).items():
            if _is_secret(name, value):
                yield config.problem(f"{name} is a secret: {_FETCH}")
    for pod in rendered.pods():
        for container in pod.all_containers:
            for variable in container.get("env", []):
                if _is_secret(variable["name"], variable.get("value", "")):
                    yield pod.problem(f"{variable['name']} is a secret: {_FETCH}")
            if any(_is_secret("", word) for word in words(container)):
                yield pod.problem(f"a secret is among what {container['name']} runs: {_FETCH}")


def nothing_is_exposed(rendered: Rendered) -> Iterator[Problem]:
    """There is no access control yet, so nothing is reached from outside of the cluster."""
    for service in rendered.of("Service"):
        # The last one is a name of what lies outside.
        if service.spec.get("type", "ClusterIP") not in ("ClusterIP", "ExternalName"):
            yield service.problem(
                f"a {service.spec['type']} is reached from outside of the cluster"
            )
        if service.spec.get("externalIPs"):
            yield service.problem("with externalIPs it is reached from outside of the cluster")
    for ingress in rendered.of("Ingress", "Gateway"):
        yield ingress.problem("it would be reached from outside of the cluster")
    for pod in rendered.pods():
        for container in pod.containers:
            for port in container.get("ports", []):
                if "hostPort" in port:
                    yield pod.problem(
                        f"port {port.get('name')} is its host's: reached from outside"
                    )


def figures_stay_inside(rendered: Rendered) -> Iterator[Problem]:
    """No route leads to what is for the cluster alone: metrics, and what probes ask."""
    for route in rendered.of("HTTPRoute"):
        matches = [one for rule in route.spec["rules"] for one in rule.get("matches") or [{}]]
        paths = [one.get("path", {"type": "PathPrefix", "value": "/"}) for one in matches]
        for inner in sorted(inner_paths()):
            if any(_leads_to(inner, path) for path in paths):
                yield route.problem(f"it leads to {inner}, which is for the cluster alone")


def _leads_to(asked: str, path: Body) -> bool:
    """Say whether a path is matched: by prefix, that is element by element."""
    prefix = path["value"].rstrip("/")
    return asked == prefix or (path["type"] != "Exact" and asked.startswith(f"{prefix}/"))


def _of_container(of_pod: Body, container: Body) -> dict[str, bool]:
    # What a container says counts more than what its pod says.
    name, context = container["name"], {**of_pod, **container.get("securityContext", {})}
    capabilities = context.get("capabilities", {})
    return {
        f"container {name} may gain privileges": context.get("allowPrivilegeEscalation") is False
        and not context.get("privileged"),
        f"container {name} keeps capabilities": "ALL" in capabilities.get("drop", [])
        and set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        f"container {name} may write to its image": context.get("readOnlyRootFilesystem") is True,
        f"container {name} may run as root": context.get("runAsNonRoot") is True
        and context.get("runAsUser") != 0,
        f"container {name}'s seccompProfile is not RuntimeDefault": context.get("seccompProfile")
        == {"type": "RuntimeDefault"},
    }


def _is_secret(name: str, value: str) -> bool:
    if _SECRET_VALUE.search(value):
        return True
    # A file may have a secret; where it is, is none.
    return bool(_SECRET_NAME.search(name.upper())) and not value.startswith("/") and bool(value)

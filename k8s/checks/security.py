"""What pods may do, what may be read in manifests, and what may be reached from outside."""

import re
from collections.abc import Iterator

from k8s.checks.manifests import Body, Problem, Rendered

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
_SECRET_WORDS = ("PASSWORD", "SECRET", "TOKEN", "ACCESS_KEY")
_ADDRESS = re.compile(r"[\w+.-]+://[^?\s]*")  # But for its query.
_PASSWORD = re.compile(r"://[^/@\s]*:[^/\s]*@")


def pods_are_restricted(rendered: Rendered) -> Iterator[Problem]:
    """Pods meet the Restricted standard, and write nothing but what is mounted."""
    for pod in rendered.pods():
        context = pod.spec.get("securityContext", {})
        wanted = {
            "runAsNonRoot is not true": context.get("runAsNonRoot") is True,
            "its seccompProfile is not RuntimeDefault": context.get("seccompProfile")
            == {"type": "RuntimeDefault"},
            "it shares a namespace of its host": not any(pod.spec.get(one) for one in _HOST),
            "it has a volume of its host": all(
                set(volume) - {"name"} <= _VOLUMES for volume in pod.spec.get("volumes", [])
            ),
            "it is given a token of Kubernetes": pod.spec.get("automountServiceAccountToken")
            is False,
        }
        for container in pod.all_containers:
            wanted |= _of_container(container)
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
        yield secret.problem("a secret is in the manifests: have ExternalSecret fetch it")
    for config in rendered.of("ConfigMap"):
        for name, value in config.body.get("data", {}).items():
            if _is_secret(name, value):
                yield config.problem(f"{name} is a secret: have ExternalSecret fetch it")
    for pod in rendered.pods():
        for container in pod.all_containers:
            for variable in container.get("env", []):
                if _is_secret(variable["name"], variable.get("value", "")):
                    yield pod.problem(
                        f"{variable['name']} is a secret: have ExternalSecret fetch it"
                    )


def nothing_is_exposed(rendered: Rendered) -> Iterator[Problem]:
    """There is no access control yet, so nothing is reached from outside of the cluster."""
    for service in rendered.of("Service"):
        if service.spec.get("type", "ClusterIP") not in ("ClusterIP", "ExternalName"):
            yield service.problem(
                f"a {service.spec['type']} is reached from outside of the cluster"
            )
    for ingress in rendered.of("Ingress", "Gateway"):
        yield ingress.problem("it would be reached from outside of the cluster")
    for pod in rendered.pods():
        for container in pod.containers:
            for port in container.get("ports", []):
                if "hostPort" in port:
                    yield pod.problem(
                        f"port {port.get('name')} is its host's: reached from outside"
                    )


def _of_container(container: Body) -> dict[str, bool]:
    name, context = container["name"], container.get("securityContext", {})
    capabilities = context.get("capabilities", {})
    return {
        f"container {name} may gain privileges": context.get("allowPrivilegeEscalation") is False
        and not context.get("privileged"),
        f"container {name} keeps capabilities": "ALL" in capabilities.get("drop", [])
        and set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        f"container {name} may write to its image": context.get("readOnlyRootFilesystem") is True,
        f"container {name} runs as root": context.get("runAsUser") != 0,
    }


def _is_secret(name: str, value: str) -> bool:
    """Say so of an address with a password, and of what is named so but for a file's name."""
    words = f"{name} {_ADDRESS.sub('', value)}".upper()
    is_named_so = any(one in words for one in _SECRET_WORDS) and not name.endswith("_FILE")
    return bool(value) and (is_named_so or _PASSWORD.search(value) is not None)

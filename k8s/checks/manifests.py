"""Manifests as they are rendered, and what is found wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

_PLACE = ("spec", "template")
# Where the pod is in what makes some.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "CronJob": ("spec", "jobTemplate", *_PLACE),
    "DaemonSet": _PLACE,
    "Deployment": _PLACE,
    "Job": _PLACE,
    "Pod": (),
    "ReplicaSet": _PLACE,
    "ReplicationController": _PLACE,
    "StatefulSet": _PLACE,
}

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an object.

    Attributes:
        subject: kind and name.
        reason: what is wrong, and why it matters, in a sentence.
    """

    subject: str
    reason: str

    def __str__(self) -> str:
        """Give a line for people."""
        return f"{self.subject}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object of Kubernetes.

    Attributes:
        body: all of it.
    """

    body: Body

    def __str__(self) -> str:
        """Name it."""
        return f"{self.kind}/{self.name}"

    @property
    def kind(self) -> str:
        """What it is."""
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        """Its name, of which a kind has one."""
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Where it is made."""
        return str(self.body["metadata"].get("namespace", "default"))

    @property
    def labels(self) -> Mapping[str, str]:
        """Its own; those of its pods may be others."""
        labels: Mapping[str, str] = self.body["metadata"].get("labels", {})
        return labels

    @property
    def spec(self) -> Body:
        """What is wanted of it."""
        spec: Body = self.body.get("spec", {})
        return spec

    def problem(self, reason: str) -> Problem:
        """Say what is wrong with it."""
        return Problem(str(self), reason)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as its owner makes it.

    Attributes:
        owner: whose template it is of.
        labels: of the template.
        spec: likewise.
    """

    owner: Manifest
    labels: Mapping[str, str]
    spec: Body

    @classmethod
    def of(cls, owner: Manifest) -> Self:
        """Read the template of an object that has one; a pod by itself is its own."""
        template = owner.body
        for step in TEMPLATES[owner.kind]:
            template = template[step]
        return cls(owner, template.get("metadata", {}).get("labels", {}), template["spec"])

    @property
    def component(self) -> str:
        """Which part of Rapt it is."""
        return self.labels.get("app.kubernetes.io/component", "")

    @property
    def containers(self) -> list[Body]:
        """Those that stay, first to last."""
        return list(self.spec["containers"])

    @property
    def all_containers(self) -> list[Body]:
        """Those that come first and end too."""
        return [*self.spec.get("initContainers", []), *self.containers]

    @property
    def ports(self) -> dict[str, int]:
        """The ports that containers listen on, by name."""
        return {
            port.get("name", ""): port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }

    def problem(self, reason: str) -> Problem:
        """Say what is wrong with it: its owner is named."""
        return self.owner.problem(reason)


@dataclass(frozen=True, slots=True)
class Rendered:
    """All manifests of an installation.

    Attributes:
        manifests: in the order of the rendering.
        is_shared: whether it is for a cluster that others use too, and so has to be closed.
    """

    manifests: tuple[Manifest, ...]
    is_shared: bool

    def of(self, *kinds: str) -> Iterator[Manifest]:
        """Give those of some kinds."""
        return (one for one in self.manifests if one.kind in kinds)

    def names(self, *kinds: str) -> set[str]:
        """Return the names of those of some kinds."""
        return {one.name for one in self.of(*kinds)}

    def pods(self) -> list[Pod]:
        """Return a pod of each object that makes some."""
        return [Pod.of(one) for one in self.of(*TEMPLATES)]

    def pods_of(self, selector: Body) -> list[Pod]:
        """Return the pods that a LabelSelector selects."""
        return [pod for pod in self.pods() if selects(selector, pod.labels)]

    def pods_behind(self, service: Manifest) -> list[Pod]:
        """Return the pods that a Service leads to: none where it names others' addresses."""
        selector = service.spec.get("selector")
        return self.pods_of({"matchLabels": selector}) if selector else []

    def settings_of(self, container: Body) -> dict[str, str]:
        """Return the variables of a container that have their values in manifests."""
        variables = self.variables_of(container).items()
        return {name: value for name, value in variables if value is not None}

    def variables_of(self, container: Body) -> dict[str, str | None]:
        """Return all variables of a container, with None for a value that is no manifest's."""
        sources: dict[tuple[str, str], Mapping[str, str | None]] = {
            ("configMapRef", one.name): one.body.get("data", {}) for one in self.of("ConfigMap")
        }
        for secret in self.of("ExternalSecret"):
            keys = dict.fromkeys(one["secretKey"] for one in secret.spec["data"])
            sources["secretRef", secret.spec["target"]["name"]] = keys
        found: dict[str, str | None] = {}
        for source in container.get("envFrom", []):
            prefix = source.get("prefix", "")
            for kind in source.keys() - {"prefix"}:
                named = sources.get((kind, source[kind]["name"]), {})
                found |= {prefix + name: value for name, value in named.items()}
        for one in container.get("env", []):
            found[one["name"]] = None if "valueFrom" in one else one.get("value", "")
        return found


def selects(selector: Body, labels: Mapping[str, str]) -> bool:
    """Say whether a LabelSelector selects what has these labels; an empty one selects all."""
    return all(
        labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()
    ) and all(_meets(one, labels) for one in selector.get("matchExpressions", []))


def _meets(expression: Body, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values", [])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]

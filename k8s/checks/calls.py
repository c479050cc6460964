"""Whom pods call, by what they are told."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from k8s.checks.commands import runs
from k8s.checks.manifests import Body, Manifest, Pod, Rendered

# Nobody else calls these; what names no module here is called by all that stay.
_CALLERS = {
    "MLFLOW_TRACKING_URI": ("service.inline", "service.runners"),
    "RAPT_KAFKA_SERVERS": ("service.kafka",),
    "RAPT_TRITON_ADDRESS": ("service.triton",),
}
_ROWS = "RAPT_DATABASE_URL"
_POSTGRES, _TLS = 5432, 443
_PORTS = {"http": 80, "https": _TLS, "postgres": _POSTGRES, "postgresql": _POSTGRES}
_ADDRESS = re.compile(
    r"((?P<scheme>[a-z]+)://)?([^@/]*@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(:(?P<port>[0-9]{1,5}))?(/.*)?"
)
_OWN = ("localhost", "127.0.0.1", "[::1]")  # Of the same pod.
# Where a bucket is that is named, unless a variable names another place.
_STORES = {
    "s3://": ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    "gs://": (),
    "az://": ("AZURE_ENDPOINT",),
}


@dataclass(frozen=True, slots=True)
class Call:
    """What a pod has to reach.

    Attributes:
        variable: which says so.
        host: a name or an address; empty: only that it is out of the cluster, or a secret, is
            known.
        port: of TCP.
    """

    variable: str
    host: str
    port: int

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.host}:{self.port}" if self.host else f"port {self.port}"

    @property
    def namespace(self) -> str:
        """Of a name inside a cluster; empty: it has none, or is of another kind."""
        _, *rest = self.host.removesuffix(".cluster.local").removesuffix(".svc").split(".")
        return rest[0] if len(rest) == 1 else ""

    @property
    def is_short(self) -> bool:
        """Whether the name can only be a Service's of the same namespace."""
        return bool(self.host) and not {".", ":"} & set(self.host)

    @property
    def is_inside(self) -> bool:
        """Whether the name can only be one of this cluster."""
        return self.host.endswith((".svc", ".svc.cluster.local"))

    def service(self, rendered: Rendered) -> Manifest | None:
        """Return the Service that it names, if that is here."""
        name = self.host.partition(".")[0]
        if self.host != name and not self.namespace:
            return None
        for one in rendered.of("Service"):
            if one.name == name and self.namespace in ("", one.body["metadata"].get("namespace")):
                return one
        return None


def calls_of(rendered: Rendered, container: Body) -> Iterator[Call]:
    """Give whom a container calls."""
    variables = rendered.variables_of(container)
    if variables.get(_ROWS, "") is None:
        # As a secret has it. psycopg asks at PGPORT where the URL has no port.
        port = variables.get("PGPORT") or ""
        yield Call(_ROWS, "", int(port) if port.isdecimal() else _POSTGRES)
    module = runs(container)
    for name, value in variables.items():
        # Who is no module of ours that stays brings tables up to date.
        if value and (module in _CALLERS.get(name, (module,)) if module else name == _ROWS):
            for address in value.split(","):
                yield from _called(name, address.strip(), variables)


def behind(rendered: Rendered, service: Manifest, port: Body) -> Iterator[tuple[Pod, str, int]]:
    """Give the pods behind a Service's port, and by which name and number that is theirs."""
    target = port.get("targetPort", port["port"])
    for pod in rendered.pods_of({"matchLabels": service.spec.get("selector", {"": ""})}):
        for name, number in pod.ports.items():
            if target in (name, number):
                yield pod, name, number


def _called(name: str, address: str, variables: Mapping[str, str | None]) -> Iterator[Call]:
    for scheme, endpoints in _STORES.items():
        if address.startswith(scheme) and not any(variables.get(one) for one in endpoints):
            yield Call(name, "", _TLS)
    if (match := _ADDRESS.fullmatch(address)) is None:
        return
    scheme, port = match["scheme"], match["port"] or _PORTS.get(match["scheme"])
    if match["host"] in _OWN:
        return
    if port and (scheme in _PORTS or (scheme is None and name.startswith("RAPT_"))):
        yield Call(name, match["host"], int(port))

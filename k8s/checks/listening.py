"""Containers listen at the ports that they name, where others reach them."""

from collections.abc import Iterator
from ipaddress import ip_address

from k8s.checks.commands import bentoml_options, is_ours, words
from k8s.checks.manifests import Body, Problem, Rendered

# By the name of a port; github.com/triton-inference-server/server, src/command_line_parser.cc.
_TRITON = {"grpc": "8001", "http": "8000", "metrics": "8002"}

_BENTOML = "3000"  # At all addresses, as Triton: see their defaults.


def ports_are_listened_on(rendered: Rendered) -> Iterator[Problem]:
    """What a container is told to listen on is what its ports say, and not for itself alone."""
    for pod in rendered.pods():
        for container in pod.containers:
            listened = _listened_on(rendered, container)
            for port in container.get("ports", []):
                name, number = port.get("name", ""), port["containerPort"]
                host, given = listened.get(name, ("", str(number)))
                if given != str(number):
                    yield pod.problem(f"port {name} is {number}, and it listens on {given}")
                elif _is_own(host):
                    yield pod.problem(f"it listens on port {name} at {host}: nobody reaches it")


def _listened_on(rendered: Rendered, container: Body) -> dict[str, tuple[str, str]]:
    """Return hosts and ports that a container is told to listen on, by the ports' names."""
    given = words(container)
    if given[:1] == ["tritonserver"]:
        parts = (word.removeprefix("--").partition("=") for word in given)
        options = {name: value for name, _, value in parts}
        return {
            name: (options.get(f"{name}-address", ""), options.get(f"{name}-port", default))
            for name, default in _TRITON.items()
        }
    if not (is_ours(container["image"]) and given[:2] == ["bentoml", "serve"]):
        return {}
    from service.settings import Settings  # noqa: PLC0415  # pydantic's models take their time

    settings, fields = rendered.settings_of(container), Settings.model_fields
    grpc = (
        settings.get("RAPT_GRPC_HOST") or fields["grpc_host"].default,
        settings.get("RAPT_GRPC_PORT") or str(fields["grpc_port"].default),
    )
    http, _ = bentoml_options(container)
    return {"grpc": grpc, "http": (http.get("host", ""), http.get("port", _BENTOML))}


def _is_own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

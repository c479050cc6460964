"""What containers of Rapt's image run is there."""

from collections.abc import Iterator
from importlib.util import find_spec

from k8s.checks.manifests import Body, Problem, Rendered

_IMAGE = "rapt"


def commands_exist(rendered: Rendered) -> Iterator[Problem]:
    """Modules, services and commands that containers start are in the code."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            if _is_ours(container["image"]) and not _exists(container):
                words = " ".join([*container.get("command", []), *container.get("args", [])][:3])
                yield pod.problem(f"container {container['name']} runs {words}, which is not there")


def _is_ours(image: str) -> bool:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0] == _IMAGE


def _exists(container: Body) -> bool:
    """Say whether there is what a container runs, of the ways in which ours are run."""
    match [*container.get("command", []), *container.get("args", [])]:
        case ["bentoml", "serve", service, *_]:
            return _is_module(service.partition(":")[0])
        case ["python", "-m", module, *_]:
            return _is_module(module)
        case ["python", "-c", *_]:
            return True
        case ["rapt", command, *_]:
            from service.command_line import main  # noqa: PLC0415  # the one that needs click

            return command in main.commands
    return False


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # Of the package that it would be in.
        return False

"""What containers of Rapt's image run is there."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from k8s.checks.manifests import Body, Problem, Rendered

_IMAGE = "rapt"
_PROJECT = Path(__file__).resolve().parents[2]


def commands_exist(rendered: Rendered) -> Iterator[Problem]:
    """Modules, services, commands and options that containers start are in the code."""
    for pod in rendered.pods():
        for container in pod.all_containers:
            if is_ours(container["image"]) and (missing := _missing(container)):
                yield pod.problem(
                    f"container {container['name']} runs {missing}, which is not there"
                )


def is_ours(image: str) -> bool:
    """Say whether an image is Rapt's, by its name."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0] == _IMAGE


def words(container: Body) -> list[str]:
    """Return what a container runs."""
    return [*container.get("command", []), *container.get("args", [])]


def runs(container: Body) -> str:
    """Return the module that a container runs; empty: it is none of ours."""
    match words(container):
        case ["bentoml", "serve", service, *_]:
            return service.partition(":")[0]
        case ["python", "-m", module, *_]:
            return module
    return ""


def bentoml_options(container: Body) -> tuple[dict[str, str], str]:
    """Return what a container's ``bentoml serve`` is given, and an option that there is not.

    Where there is such an option, nothing else is read; else it is empty.
    """
    import click  # noqa: PLC0415  # with the next one, a second
    from bentoml_cli.serve import build_serve_command  # noqa: PLC0415

    serve = build_serve_command().commands["serve"]
    parser = serve.make_parser(click.Context(serve))
    try:
        given, _, _ = parser.parse_args(words(container)[2:])
    except (click.BadOptionUsage, click.NoSuchOption) as error:
        return {}, error.option_name
    return given, ""


def _missing(container: Body) -> str:
    """Return what is not there of what is run, in the ways in which ours are run; empty: all is."""
    match given := words(container):
        case ["bentoml", "serve", service, *_]:
            module, _, name = service.partition(":")
            if not _defines(module, name):
                return service
            unknown = bentoml_options(container)[1]
            return unknown and f"bentoml serve {unknown}"
        case ["python", "-m", module, *_]:
            return "" if _file(module) else " ".join(given[:3])
        case ["python", "-c", source, *_]:
            return _missing_in(source)
        case ["rapt", command, *_]:
            from service.command_line import main  # noqa: PLC0415  # the one that needs click

            return "" if command in main.commands else " ".join(given[:2])
    return " ".join(given[:3])


def _missing_in(source: str) -> str:
    """Return what a program imports and isn't there; the program, where it is none."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    for one in ast.walk(tree):
        match one:
            case ast.Import():
                missing = [name.name for name in one.names if not _file(name.name)]
            case ast.ImportFrom(module=str(module)):
                missing = [
                    f"{module}:{name.name}" for name in one.names if not _defines(module, name.name)
                ]
            case _:
                continue
        if missing:
            return missing[0]
    return ""


def _defines(module: str, name: str) -> bool:
    """Say whether a module has a name, by its text: to import ours may need what isn't here."""
    file = _file(module)
    if file is None or not file.is_relative_to(_PROJECT):
        return file is not None
    found: set[str] = set()
    for one in ast.parse(file.read_text(encoding="utf-8")).body:
        match one:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(one.name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name for alias in one.names}
            case ast.Assign() | ast.AnnAssign():
                targets = one.targets if isinstance(one, ast.Assign) else [one.target]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return name in found


def _file(module: str) -> Path | None:
    """Return where a module is written; None: there is none."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # Of the package that it would be in.
        return None
    return Path(spec.origin) if spec and spec.origin else None

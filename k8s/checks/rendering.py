"""Renders folders of kustomize, as ``kubectl apply -k`` would."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from k8s.checks.manifests import Manifest, Rendered

FOLDER = Path(__file__).resolve().parents[1]
# For one machine that nobody else uses.
_OPEN = "local"
_SECONDS = 60.0


class Unrenderable(Exception):
    """A folder can't be rendered; says why."""


def folders() -> list[Path]:
    """Return all that is rendered: the overlays, and the examples of what else there is."""
    found = FOLDER.glob("*/*/kustomization.yaml")
    return sorted(one.parent for one in found if one.parents[1].name in ("examples", "overlays"))


def render(folder: Path) -> Rendered:
    """Render a folder.

    Raises:
        Unrenderable: there is no kubectl, or it refuses; says why.
    """
    try:
        done = subprocess.run(  # noqa: S603  # our own words
            [_kubectl(), "kustomize", str(folder)],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise Unrenderable(f"{folder}: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise Unrenderable(f"{folder}: kubectl took more than {_SECONDS:.0f} s.") from error
    return Rendered(read(done.stdout), folder.resolve().name != _OPEN)


def read(text: str) -> tuple[Manifest, ...]:
    """Return the objects in YAML; a null is a field that was left out, as servers take it."""
    bodies = yaml.safe_load_all(text)
    return tuple(Manifest(_without_nulls(body)) for body in bodies if body)


def _without_nulls(value: Any) -> Any:  # noqa: ANN401  # any YAML
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _kubectl() -> str:
    """Return the one of this environment, or else the machine's."""
    beside = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("kubectl")
    if found is None:
        raise Unrenderable("There is no kubectl. `make setup` brings one.")
    return found

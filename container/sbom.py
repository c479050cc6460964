"""``python -m container.sbom``: lists what the image's Python is made of (``make sbom``).

CycloneDX 1.6, as JSON: each package with its version, licence and what it needs. It is read off an
environment made from the serving lock by `cyclonedx-py`, as only there licences can be seen,
compared with the lock, and left without the installers, which the image hasn't got.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_LOCK = Path("requirements/serving.txt")
_SPECIFICATION = SchemaVersion.V1_6
# `venv` puts them into every environment.
_INSTALLERS = frozenset({"pip", "setuptools"})

Document = dict[str, Any]


def locked(lock: str) -> dict[str, str]:
    """Return the versions, by name, that a lock names for this Python and system."""
    lines = [line.removesuffix(" \\") for line in lock.splitlines()]
    found = [Requirement(line) for line in lines if line and line[0] not in " #-"]
    here = [one for one in found if one.marker is None or one.marker.evaluate()]
    return {str(canonicalize_name(one.name)): str(one.specifier).removeprefix("==") for one in here}


def without(document: Document, names: frozenset[str]) -> Document:
    """Return a document without some packages, and without anybody's need of them."""
    components = document["components"]
    gone = {one["bom-ref"] for one in components if canonicalize_name(one["name"]) in names}
    return {
        **document,
        "components": [one for one in components if one["bom-ref"] not in gone],
        "dependencies": [
            _not_needing(one, gone) for one in document["dependencies"] if one["ref"] not in gone
        ],
    }


def differences(document: Document, lock: dict[str, str]) -> list[str]:
    """Say how the packages of a document differ from those of a lock, a line each."""
    listed = {str(canonicalize_name(one["name"])): one["version"] for one in document["components"]}
    return [
        f"{name}: the lock has {lock.get(name, 'none')}, the environment {listed.get(name, 'none')}"
        for name in sorted(listed.keys() | lock.keys())
        if listed.get(name) != lock.get(name)
    ]


def listed_by_cyclonedx(environment: Path) -> Document:
    """Return what `cyclonedx-py` finds in an environment; the project is what it is about.

    Raises:
        CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "cyclonedx_py", "environment"]
    command += ["--pyproject", "pyproject.toml", "--spec-version", _SPECIFICATION.to_version()]
    command += ["--output-reproducible", "--no-validate", str(environment / "bin" / "python")]
    # It asks the environment's Python for its folders, to which PYTHONPATH would add others.
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, check=True, capture_output=True, env=clean)  # noqa: S603  # our own words
    document: Document = json.loads(done.stdout)
    return document


def _not_needing(dependency: Document, gone: set[str]) -> Document:
    if "dependsOn" not in dependency:
        return dependency
    return {**dependency, "dependsOn": [one for one in dependency["dependsOn"] if one not in gone]}


@click.command()
@click.argument("environment", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write.",
)
def main(environment: Path, into: Path) -> None:
    """List the packages of ENVIRONMENT, which has to be made from the serving lock."""
    document = without(listed_by_cyclonedx(environment), _INSTALLERS)
    found = differences(document, locked(_LOCK.read_text(encoding="utf-8")))
    if found:
        raise click.ClickException(
            f"{environment} is not as {_LOCK} says. Bring it up to date: make serving\n"
            + "\n".join(found)
        )
    text = json.dumps(document, indent=2) + "\n"
    if wrong := JsonStrictValidator(_SPECIFICATION).validate_str(text):
        raise click.ClickException(f"What came out is no CycloneDX: {wrong}")
    into.write_text(text, encoding="utf-8")
    click.echo(f"{into}: {len(document['components'])} packages.")


if __name__ == "__main__":
    main()

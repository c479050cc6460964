"""The list of packages is that of the lock, and CycloneDX."""

import json
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from container.sbom import Document, differences, locked, main, without

PROJECT = Path(__file__).parents[2]
LOCK = """# made by a tool
numpy==2.4 ; python_version < '3.0' \\
    --hash=sha256:aa
    # via opencv
numpy==2.5 ; python_version >= '3.0' \\
    --hash=sha256:bb
ruamel-yaml==0.18 \\
    --hash=sha256:cc
"""


def document(**versions: str) -> Document:
    needed = [f"{name}-ref" for name in versions]
    return {
        "components": [
            {"bom-ref": f"{name}-ref", "name": name, "version": version}
            for name, version in versions.items()
        ],
        "dependencies": [
            {"ref": "root", "dependsOn": needed},
            *({"ref": one} for one in needed),
        ],
    }


def test_a_lock_names_one_version_for_this_python() -> None:
    assert locked(LOCK) == {"numpy": "2.5", "ruamel-yaml": "0.18"}


def test_names_are_the_same_however_they_are_written() -> None:
    listed = document(**{"ruamel.yaml": "0.18", "NumPy": "2.5"})
    assert differences(listed, locked(LOCK)) == []


def test_what_differs_is_said() -> None:
    assert differences(document(numpy="2.4", extra="1"), locked(LOCK)) == [
        "extra: the lock has none, the environment 1",
        "numpy: the lock has 2.5, the environment 2.4",
        "ruamel-yaml: the lock has 0.18, the environment none",
    ]


def test_what_is_left_out_is_nobodys_need() -> None:
    left = without(document(numpy="2.5", pip="26"), frozenset({"pip"}))
    assert left == document(numpy="2.5")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment of two packages, one of which needs the other."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name, more in {
        "one": "License-Expression: MIT\nRequires-Dist: other\n",
        "other": "",
    }.items():
        information = packages / f"{name}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}"
        )
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a lock of those two, which the test is in."""
    folder = tmp_path / "project"
    (folder / "requirements").mkdir(parents=True)
    (folder / "requirements" / "serving.txt").write_text("one==1.0\nother==1.0\n")
    (folder / "pyproject.toml").write_bytes((PROJECT / "pyproject.toml").read_bytes())
    for name in ("README.md", "LICENSE"):
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    monkeypatch.chdir(folder)
    return folder


def test_an_environment_is_listed_with_licences_and_needs(environment: Path, place: Path) -> None:
    result = CliRunner().invoke(main, [str(environment), "--into", str(place / "sbom.json")])
    assert result.output == f"{place / 'sbom.json'}: 2 packages.\n"
    text = (place / "sbom.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    one, other = sorted(found["components"], key=lambda component: component["name"])
    assert (one["purl"], one["licenses"][0]["license"]["id"]) == ("pkg:pypi/one@1.0", "MIT")
    needs = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    assert needs[one["bom-ref"]] == [other["bom-ref"]]
    assert found["metadata"]["component"]["name"] == "rapt"


def test_an_environment_that_is_not_the_locks_is_refused(environment: Path, place: Path) -> None:
    (place / "requirements" / "serving.txt").write_text("one==1.1\nother==1.0\n")
    result = CliRunner().invoke(main, [str(environment), "--into", str(place / "sbom.json")])
    assert result.exit_code == 1
    assert result.stderr.endswith("one: the lock has 1.1, the environment 1.0\n")
    assert not (place / "sbom.json").exists()

"""The list of packages is that of the lock, and CycloneDX."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from container.sbom import Document, differences, listed_by_cyclonedx, locked, main, without

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


def test_this_environment_is_listed_with_licences_and_needs() -> None:
    found = listed_by_cyclonedx(Path(sys.prefix))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(found)) is None
    by_name = {one["name"]: one for one in found["components"]}
    assert by_name["bentoml"]["purl"] == f"pkg:pypi/bentoml@{by_name['bentoml']['version']}"
    assert by_name["bentoml"]["licenses"]
    needs = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    assert by_name["numpy"]["bom-ref"] in needs[by_name["scipy"]["bom-ref"]]
    assert found["metadata"]["component"]["name"] == "rapt"


def test_an_environment_that_is_not_the_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    result = CliRunner().invoke(main, [sys.prefix, "--into", str(tmp_path / "sbom.json")])
    assert result.exit_code == 1
    assert "pytest: the lock has none, the environment " in result.stderr
    assert not (tmp_path / "sbom.json").exists()

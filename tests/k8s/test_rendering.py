"""What is committed is right, and what is wrong ends with a line about it."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from k8s.checks.manifests import Rendered
from k8s.checks.rendering import FOLDER, Unrenderable, folders, render
from k8s.checks.rules import broken_rules

PROJECT = FOLDER.parent
SCALERS = {"HorizontalPodAutoscaler", "ScaledObject"}


def check(*folders: Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-m", "k8s.checks", *map(str, folders)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def overlay(folder: Path, patch: str) -> Path:
    """Make an overlay of the production one, with a patch."""
    production = os.path.relpath(FOLDER / "overlays" / "production", folder.resolve())
    kustomization = {"resources": [production], "patches": [{"patch": dedent(patch)}]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return folder


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_what_is_committed_is_right(folder: Path) -> None:
    assert broken_rules(render(folder)) == {}


def test_overlays_and_examples_are_found() -> None:
    assert [str(one.relative_to(FOLDER)) for one in folders()] == [
        "examples/gpu", "examples/hpa", "examples/kafka", "overlays/local", "overlays/production",
    ]  # fmt: skip


def test_every_component_is_part_of_something_that_is_rendered() -> None:
    used = {
        Path(component).name
        for folder in folders()
        for component in yaml.safe_load(
            (folder / "kustomization.yaml").read_text(encoding="utf-8")
        ).get("components", [])
    }
    there = {one.parent.name for one in FOLDER.glob("components/*/kustomization.yaml")}
    assert there - used == set()


def test_one_object_is_in_a_file_which_is_named_by_its_kind() -> None:
    files = [
        file
        for file in FOLDER.rglob("*.yaml")
        if file.name != "kustomization.yaml" and file.parent.name != "schemas"
    ]
    misnamed = []
    for file in files:
        (body,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))
        # A list is a patch, step by step.
        if isinstance(body, dict) and file.stem.partition("-")[0] != body["kind"].lower():
            misnamed.append(str(file.relative_to(FOLDER)))
    assert files
    assert misnamed == []


@pytest.mark.parametrize("name", ["production", "hpa"])
def test_one_kind_of_autoscaler_scales_all_three(name: str) -> None:
    (folder,) = [one for one in folders() if one.name == name]
    found = [one for one in render(folder).manifests if one.kind in SCALERS]
    assert len({one.kind for one in found}) == 1
    assert sorted(one.name for one in found) == ["rapt-front", "rapt-triton", "rapt-worker"]


def test_on_one_node_there_is_neither_a_scaler_nor_triton() -> None:
    local = render(FOLDER / "overlays" / "local")
    assert not {one.kind for one in local.manifests} & SCALERS
    assert [pod.component for pod in local.pods()] == ["front", "worker"]


def test_a_bad_patch_fails_with_the_object_and_the_reason(tmp_path: Path) -> None:
    bad = overlay(
        tmp_path,
        """
        apiVersion: policy/v1
        kind: PodDisruptionBudget
        metadata:
          name: rapt-worker
          namespace: rapt
        spec:
          maxUnavailable: 0
        """,
    )
    done = check(bad)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "  PodDisruptionBudget/rapt-worker: maxUnavailable is 0: no pod may ever be moved, so "
        "that no node can be emptied [budgets_leave_room]"
    ]


def test_kustomize_that_drops_a_digest_is_noticed(tmp_path: Path) -> None:
    production = os.path.relpath(FOLDER / "overlays" / "production", tmp_path.resolve())
    kustomization = {
        "resources": [production],
        "images": [{"name": "registry.example.com/rapt", "newTag": "0.2.0"}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    problems = broken_rules(render(tmp_path))
    assert list(problems) == ["images_are_pinned"]
    assert {one.subject for one in problems["images_are_pinned"]} == {
        "Deployment/rapt-front", "Deployment/rapt-triton", "Job/rapt-migrate",
        "StatefulSet/rapt-worker",
    }  # fmt: skip


def test_what_cant_be_rendered_is_said(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [absent.yaml]\n", encoding="utf-8")
    with pytest.raises(Unrenderable, match=r"absent\.yaml"):
        render(tmp_path)
    done = check(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path}: ")


def test_what_is_right_ends_well() -> None:
    done = check(FOLDER / "overlays" / "local")
    assert done.returncode == 0
    assert done.stdout.endswith(" objects, right\n")


def test_settings_of_an_overlay_come_on_top_of_the_base(production: Rendered) -> None:
    (config,) = (one for one in production.of("ConfigMap") if one.name.startswith("rapt-settings"))
    assert config.body["data"]["RAPT_STORAGE_URL"] == "s3://rapt/production"
    assert config.body["data"]["RAPT_MODEL_POLL_SECONDS"] == "0"

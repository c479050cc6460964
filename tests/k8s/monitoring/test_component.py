"""The component's files name what is there."""

import json
from typing import Any

import yaml

from k8s.checks.metrics import TRITON_METRICS, listed
from tests.k8s.monitoring.files import COMPONENT, DASHBOARD, all_expressions, metrics_of


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def test_alerts_and_queries_ask_for_metrics_that_there_are() -> None:
    known = {one.name for one in listed()} | TRITON_METRICS
    asked = set().union(*map(metrics_of, all_expressions()))
    assert asked - known == set()


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    asked = set().union(*map(metrics_of, all_expressions()))
    # The rate of faces is that of photos times the faces of each.
    assert {one.name for one in listed()} - asked == {"rapt_faces_total"}


def test_all_files_are_part_of_the_component() -> None:
    text = (COMPONENT / "kustomization.yaml").read_text(encoding="utf-8")
    component = yaml.safe_load(text)
    assert component["kind"] == "Component"
    (generated,) = component["configMapGenerator"]
    named = {*component["resources"], *generated["files"], "kustomization.yaml"}
    assert {path.name for path in COMPONENT.iterdir()} == named


def test_panels_have_an_id_and_a_place_each() -> None:
    places = [tuple(panel["gridPos"].values()) for panel in panels()]
    assert len({panel["id"] for panel in panels()}) == len(set(places)) == len(panels())

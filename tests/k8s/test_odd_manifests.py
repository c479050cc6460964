"""What an operator may write, and what he writes by mistake, ends in no traceback."""

from pathlib import Path
from typing import Any

import pytest

from k8s.checks.manifests import Problem, Rendered
from k8s.checks.rendering import FOLDER, read, render
from k8s.checks.rules import broken_rules
from tests.k8s.planted import CONTAINER, NOTHING, Fault, Steps, added, changed

_FRONT = "Deployment/rapt-front"


def settings(rendered: Rendered) -> str:
    """Where settings are."""
    (name,) = [one for one in rendered.names("ConfigMap") if one.startswith("rapt-settings")]
    return f"ConfigMap/{name}"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "RAPT_DEADLINE_SECONDS",
            "abc",
            "Input should be a valid number, unable to parse string as a number",
        ),
        ("RAPT_KAFKA_OPTIONS", "{bad", "Input should be a valid dictionary"),
    ],
)
def test_a_setting_that_cant_be_read_is_refused_for_each_pod(
    production: Rendered, name: str, value: str, reason: str
) -> None:
    def change(body: dict[str, Any]) -> None:
        body["data"][name] = value

    assert broken_rules(changed(production, settings(production), change)) == {
        "settings_are_known": [
            Problem(owner, f"{name} is refused: {reason}")
            for owner in (_FRONT, "StatefulSet/rapt-worker", "Job/rapt-migrate")
        ]
    }


@pytest.mark.parametrize(
    "spec",
    [
        {"ports": [{"port": 5432}]},
        {"type": "ExternalName", "externalName": "db.example.com"},
    ],
)
def test_a_service_that_selects_nobody_is_taken(production: Rendered, spec: Any) -> None:  # noqa: ANN401  # any JSON
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": spec}
    assert broken_rules(added(production, service)) == {}


def test_a_template_without_labels_is_said_to_be_of_nobody(production: Rendered) -> None:
    fault = Fault("", _FRONT, ("spec", "template", "metadata"), NOTHING, "")
    problems = broken_rules(fault.planted_in(production))["selectors_find_pods"]
    reason = "its selector doesn't match the labels of its own pods"
    assert Problem(_FRONT, reason) in problems


@pytest.mark.parametrize(
    ("where", "steps", "reason"),
    [
        ("PodDisruptionBudget/rapt-front", ("spec", "selector"), "spec: 'selector'"),
        ("NetworkPolicy/front", ("spec", "podSelector"), "spec: 'podSelector'"),
        (_FRONT, ("spec", "template", "spec"), "spec.template: 'spec'"),
        (_FRONT, (*CONTAINER, "image"), "spec.template.spec.containers.0: 'image'"),
    ],
)
def test_a_field_that_rules_need_is_asked_for(
    production: Rendered, where: str, steps: Steps, reason: str
) -> None:
    planted = Fault("", where, steps, NOTHING, "").planted_in(production)
    assert broken_rules(planted) == {
        "fields_are_known": [Problem(where, f"{reason} is a required property")]
    }


@pytest.mark.parametrize(
    ("where", "steps", "rules"),
    [
        ("Deployment/rapt-triton", (*CONTAINER, "args"), []),
        ("Service/rapt-front", ("spec", "ports", 0, "name"), ["monitors_find_services"]),
        (_FRONT, (*CONTAINER, "args", 0), ["commands_exist"]),
    ],
)
def test_what_may_be_left_out_ends_in_no_traceback(
    production: Rendered, where: str, steps: Steps, rules: list[str]
) -> None:
    planted = Fault("", where, steps, NOTHING, "").planted_in(production)
    assert list(broken_rules(planted)) == rules


def test_larger_units_are_taken(production: Rendered) -> None:
    fault = Fault("", _FRONT, (*CONTAINER, "resources", "limits", "memory"), "3e9", "")
    assert broken_rules(fault.planted_in(production)) == {}


def test_a_null_is_a_field_that_is_left_out() -> None:
    (read_one,) = read("{kind: ConfigMap, metadata: {name: a, labels: null}, data: null}\n---\n")
    assert read_one.body == {"kind": "ConfigMap", "metadata": {"name": "a"}}


@pytest.mark.parametrize(
    ("steps", "value"),
    [
        ((*CONTAINER, "readinessProbe"), {"grpc": {"port": 3001}, "periodSeconds": 5}),
        ((*CONTAINER, "readinessProbe", "httpGet", "port"), 3000),
        ((*CONTAINER, "lifecycle", "preStop"), {"exec": {"command": ["sleep", "10"]}}),
        ((*CONTAINER, "lifecycle", "preStop"), {"exec": {"command": ["sh", "-c", "sleep 10"]}}),
        (("spec", "strategy", "rollingUpdate", "maxUnavailable"), "0%"),
    ],
)
def test_other_ways_of_the_same_are_taken(
    production: Rendered,
    steps: Steps,
    value: Any,  # noqa: ANN401  # any JSON
) -> None:
    assert broken_rules(Fault("", _FRONT, steps, value, "").planted_in(production)) == {}


def test_a_folder_is_known_by_its_name_wherever_it_is_rendered_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(FOLDER / "overlays" / "local")
    assert not render(Path()).is_shared

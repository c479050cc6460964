"""Each rule notices something that no other does, and names the object and the reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from k8s.checks.manifests import Manifest, Problem, Rendered
from k8s.checks.rendering import FOLDER, render
from k8s.checks.rules import FIRST, RULES, broken_rules
from tests.k8s.faults import OF_OBJECTS, OF_WORK
from tests.k8s.faults_of_network import OF_NETWORK
from tests.k8s.faults_of_room import OF_BUDGETS, OF_LOCAL, OF_ROOM
from tests.k8s.faults_of_safety import OF_SAFETY
from tests.k8s.faults_of_scaling import OF_ADAPTERS, OF_SCALING
from tests.k8s.faults_of_what_runs import OF_WHAT_RUNS
from tests.k8s.monitoring.faults import OF_MONITORING
from tests.k8s.planted import Fault, added, changed, without

FAULTS = [
    *OF_OBJECTS,
    *OF_WORK,
    *OF_SAFETY,
    *OF_SCALING,
    *OF_ROOM,
    *OF_MONITORING,
    *OF_NETWORK,
    *OF_WHAT_RUNS,
]
_SCALER = "HorizontalPodAutoscaler"
# Proved below: their faults aren't one value of one object.
_ELSEWHERE = {
    "dashboards_can_be_read",
    "kinds_are_looked_at",
    "served_ports_are_open",
    "settings_roll_pods",
    "workloads_have_pods",
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_noticed_by_its_rule_alone(production: Rendered, fault: Fault) -> None:
    assert broken_rules(fault.planted_in(production)) == {
        fault.rule: [Problem(fault.subject or fault.where, fault.reason)]
    }


def test_every_rule_is_proved() -> None:
    proved = {fault.rule for fault in FAULTS} | _ELSEWHERE
    assert proved == {rule.__name__ for rule in (*FIRST, *RULES)}


def test_settings_whose_name_has_no_hash_are_noticed(production: Rendered) -> None:
    (config,) = (one for one in production.of("ConfigMap") if one.name.startswith("rapt-settings"))
    written = json.dumps([one.body for one in production.manifests])
    bodies = json.loads(written.replace(config.name, "rapt-settings"))
    problems = broken_rules(Rendered(tuple(map(Manifest, bodies)), is_shared=True))
    reason = (
        "the name of its ConfigMap rapt-settings doesn't end in a hash, so that a change of it is "
        "no rollout: let configMapGenerator make it"
    )
    owners = ("Deployment/rapt-front", "StatefulSet/rapt-worker", "Job/rapt-migrate")
    assert list(problems) == ["settings_roll_pods"]
    assert {str(one) for one in problems["settings_roll_pods"]} == {
        f"{owner}: {reason}" for owner in owners
    }


def test_two_autoscalers_of_one_workload_are_noticed(production: Rendered) -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": _SCALER,
        "metadata": {"name": "front"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "rapt-front"},
            "minReplicas": 2,
            "maxReplicas": 4,
        },
    }
    assert broken_rules(added(production, scaler)) == {
        "one_scales_a_workload": [
            Problem(
                f"{_SCALER}/front",
                "it scales Deployment/rapt-front, and so does ScaledObject/rapt-front: they would "
                "fight",
            )
        ]
    }


@pytest.mark.parametrize("fault", OF_ADAPTERS, ids=str)
def test_a_fault_of_kubernetes_own_autoscaler_is_noticed(
    without_keda: Rendered, fault: Fault
) -> None:
    assert broken_rules(fault.planted_in(without_keda)) == {
        fault.rule: [Problem(fault.subject or fault.where, fault.reason)]
    }


def test_a_worker_whose_pods_have_no_lasting_names_is_noticed(production: Rendered) -> None:
    (worker,) = production.of("StatefulSet")
    spec = {
        key: value
        for key, value in worker.spec.items()
        if key not in ("podManagementPolicy", "serviceName", "updateStrategy")
    }
    deployment = {**worker.body, "kind": "Deployment", "spec": spec}
    planted = added(
        without(without(production, str(worker)), "ScaledObject/rapt-worker"), deployment
    )
    assert broken_rules(planted)["workers_are_their_pods"] == [
        Problem(
            "Deployment/rapt-worker",
            "a worker's pod has a new name each time: make it a StatefulSet",
        )
    ]


def test_a_secret_in_the_manifests_is_noticed(production: Rendered) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "rapt-more"},
        "stringData": {"key": "sesame"},
    }
    assert broken_rules(added(production, secret)) == {
        "secrets_are_elsewhere": [
            Problem(
                "Secret/rapt-more", "a secret is in the manifests: have ExternalSecret fetch it"
            )
        ]
    }


def test_without_the_policy_that_denies_all_both_directions_are_noticed(
    production: Rendered,
) -> None:
    assert broken_rules(without(production, "NetworkPolicy/default-deny")) == {
        "all_is_denied_at_first": [
            Problem("NetworkPolicy", "none denies ingress of all pods"),
            Problem("NetworkPolicy", "none denies egress of all pods"),
        ]
    }


@pytest.mark.parametrize("fault", OF_BUDGETS, ids=str)
def test_a_budget_that_needs_all_of_the_fewest_pods_is_noticed(
    production: Rendered, fault: Fault
) -> None:
    def change(budget: dict[str, Any]) -> None:
        del budget["spec"]["maxUnavailable"]

    planted = fault.planted_in(changed(production, fault.where, change))
    assert broken_rules(planted) == {"budgets_leave_room": [Problem(fault.where, fault.reason)]}


@pytest.mark.parametrize("fault", OF_LOCAL, ids=str)
def test_a_fault_on_one_node_is_noticed(fault: Fault) -> None:
    local = render(FOLDER / "overlays" / "local")
    assert broken_rules(fault.planted_in(local)) == {
        fault.rule: [Problem(fault.where, fault.reason)]
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda text: text[:500],
            "dashboard.json is no JSON: ",
        ),
        (
            lambda text: text.replace("rapt_photos_total", "rapt_photo_total"),
            "Photos by outcome asks for rapt_photo_total, which nobody counts",
        ),
    ],
    ids=["cut", "metric"],
)
def test_a_dashboard_that_shows_nothing_is_noticed(
    production: Rendered, change: Callable[[str], str], reason: str
) -> None:
    (config,) = (one for one in production.of("ConfigMap") if one.name.startswith("rapt-dashboard"))

    def change_it(body: dict[str, Any]) -> None:
        body["data"]["dashboard.json"] = change(body["data"]["dashboard.json"])

    broken = broken_rules(changed(production, str(config), change_it))
    assert list(broken) == ["dashboards_can_be_read"]
    assert broken["dashboards_can_be_read"][0].subject == str(config)
    assert broken["dashboards_can_be_read"][0].reason.startswith(reason)

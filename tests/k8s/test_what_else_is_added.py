"""Objects that somebody adds to what is right."""

from typing import Any

import pytest

from k8s.checks.manifests import Problem, Rendered
from k8s.checks.rules import broken_rules
from tests.k8s.planted import CONTAINER, added, changed, put

FRONT = "Deployment/rapt-front"
POD = {"restartPolicy": "Never", "containers": [{"name": "more", "image": "busybox:latest"}]}
NO_DIGEST = (
    "container more's image busybox:latest has no digest: give `images` of the overlay one (make "
    "pin-images)"
)


def body(version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return an object named ``more``."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "more"}, "spec": spec}


@pytest.mark.parametrize(
    "more",
    [
        body("v1", "Pod", POD),
        body(
            "batch/v1",
            "CronJob",
            {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": {"spec": POD}}}},
        ),
    ],
    ids=lambda one: str(one["kind"]),
)
def test_pods_of_every_kind_are_looked_at(production: Rendered, more: dict[str, Any]) -> None:
    problems = broken_rules(added(production, more))
    subject = f"{more['kind']}/more"
    assert problems["images_are_pinned"] == [Problem(subject, NO_DIGEST)]
    assert (
        Problem(subject, "container more may run as root: pods here are restricted")
        in problems["pods_are_restricted"]
    )


def test_a_kind_that_no_rule_knows_is_noticed(production: Rendered) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "more"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "rapt", "namespace": "rapt"}],
    }
    assert broken_rules(added(production, binding)) == {
        "kinds_are_looked_at": [
            Problem("ClusterRoleBinding/more", "no rule looks at a ClusterRoleBinding")
        ]
    }


def test_a_route_without_a_path_leads_to_everything(production: Rendered) -> None:
    planted = changed(
        production,
        "HTTPRoute/rapt-front",
        lambda route: put(route, ("spec", "rules", 0, "matches"), []),
    )
    assert [one.reason for one in broken_rules(planted)["figures_stay_inside"]] == [
        f"it leads to {path}, which is for the cluster alone"
        for path in ("/livez", "/metrics", "/readyz")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/certificates/client.key"),
        ("RAPT_STORAGE_URL", "s3://rapt/token-uploads"),
        ("RAPT_DATABASE_URL", "postgresql://rapt@db.example.com/rapt"),
    ],
)
def test_what_only_sounds_like_a_secret_is_right(
    production: Rendered, name: str, value: str
) -> None:
    steps = (*CONTAINER, "env", 2)
    planted = changed(
        production, FRONT, lambda front: put(front, steps, {"name": name, "value": value})
    )
    assert broken_rules(planted) == {}


def test_a_name_of_what_lies_outside_is_right(production: Rendered) -> None:
    outer = body("v1", "Service", {"type": "ExternalName", "externalName": "db.example.com"})
    problems = broken_rules(added(production, outer))
    assert "nothing_is_exposed" not in problems

"""What several pods are told at once, by one map or one secret."""

from typing import Any

import pytest

from k8s.checks.manifests import Problem, Rendered
from k8s.checks.rendering import FOLDER, render
from k8s.checks.rules import broken_rules
from tests.k8s.faults_of_what_runs import OF_SECRETS
from tests.k8s.planted import NOTHING, POD, added, changed, put

FRONT, WORKER, MIGRATE = "Deployment/rapt-front", "StatefulSet/rapt-worker", "Job/rapt-migrate"
SECRET = "ExternalSecret/rapt"  # noqa: S105  # an object's name
ALONE = (
    "it has no {}, and its home is no volume of all: it would keep to itself what others look for"
)


def told(rendered: Rendered, name: str, value: Any) -> Rendered:  # noqa: ANN401  # or NOTHING
    """Return manifests in which a setting of all pods is changed."""
    (config,) = (one for one in rendered.of("ConfigMap") if one.name.startswith("rapt-settings"))
    return changed(rendered, str(config), lambda body: put(body, ("data", name), value))


@pytest.mark.parametrize(("number", "name", "rule", "reason"), OF_SECRETS)
def test_a_misspelt_name_in_a_secret_is_noticed(
    without_keda: Rendered, number: int, name: str, rule: str, reason: str
) -> None:
    steps = ("spec", "data", number, "secretKey")
    planted = changed(without_keda, SECRET, lambda body: put(body, steps, name))
    assert broken_rules(planted)[rule] == [
        Problem(owner, reason) for owner in (FRONT, WORKER, MIGRATE)
    ]


def test_a_secret_without_the_database_is_noticed(without_keda: Rendered) -> None:
    steps = ("spec", "data", 0)
    planted = changed(without_keda, SECRET, lambda body: put(body, steps, NOTHING))
    assert broken_rules(planted) == {
        "pods_share_what_they_keep": [
            Problem(owner, ALONE.format("RAPT_DATABASE_URL")) for owner in (FRONT, WORKER, MIGRATE)
        ]
    }


@pytest.mark.parametrize("value", [NOTHING, ""])
def test_pods_without_a_bucket_are_noticed(production: Rendered, value: object) -> None:
    assert broken_rules(told(production, "RAPT_STORAGE_URL", value)) == {
        "pods_share_what_they_keep": [
            Problem(owner, ALONE.format("RAPT_STORAGE_URL")) for owner in (FRONT, WORKER)
        ]
    }


@pytest.mark.parametrize(
    "volume", [{"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "rapt-more"}}]
)
def test_a_pod_whose_home_is_not_the_others_volume_is_noticed(volume: dict[str, Any]) -> None:
    local = render(FOLDER / "overlays" / "local")
    (worker,) = [pod for pod in local.pods() if pod.component == "worker"]
    (number,) = [
        number for number, one in enumerate(worker.spec["volumes"]) if one["name"] == "home"
    ]
    steps = (*POD, "volumes", number)
    planted = changed(local, WORKER, lambda body: put(body, steps, {"name": "home", **volume}))
    claim = {**next(local.of("PersistentVolumeClaim")).body, "metadata": {"name": "rapt-more"}}
    assert broken_rules(added(planted, claim)) == {
        "pods_share_what_they_keep": [
            Problem(WORKER, ALONE.format("RAPT_DATABASE_URL and no RAPT_STORAGE_URL"))
        ]
    }


def test_a_bridge_without_kafkas_brokers_is_noticed() -> None:
    kafka = render(FOLDER / "examples" / "kafka")
    assert broken_rules(told(kafka, "RAPT_KAFKA_SERVERS", NOTHING)) == {
        "needed_settings_are_given": [
            Problem(
                "Deployment/rapt-kafka", "RAPT_KAFKA_SERVERS is not set, and service.kafka needs it"
            )
        ]
    }

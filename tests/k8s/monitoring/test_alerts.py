"""Each alert fires when it should and is silent when it should be, says promtool."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.k8s.monitoring.files import RULES, alert_expressions, dashboard_expressions
from tests.prometheus_server import tool

Series = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """What an alert is tried with; a value a minute, in promtool's notation.

    Attributes:
        fires: series by which it fires.
        silent: series by which it doesn't.
        at: minutes after which it does, and doesn't.
        labels: that it has then, but for its own.
    """

    fires: Series
    silent: Series
    at: int
    labels: dict[str, str] = field(default_factory=dict)


ANSWERS = {'rapt_model_info{model="emotion_classifier",version="1"}': "1x3000"}
REQUESTS = {"rapt_request_seconds_count": "0+600x60"}


def failing(reason: str, a_minute: int) -> Series:
    return {**REQUESTS, f'rapt_requests_failed_total{{reason="{reason}"}}': f"0+{a_minute}x60"}


def taking(seconds: str) -> Series:
    """All requests take more than a bound of the histogram, and less than the next."""
    bounds = ("0.8", "1.6", "3.2", "6.4", "+Inf")
    slow = bounds.index(seconds)
    return {
        f'rapt_request_seconds_bucket{{le="{bound}"}}': "0+600x60" if n > slow else "0x60"
        for n, bound in enumerate(bounds)
    }


def confidence(before: float, after: float) -> Series:
    """A week of one mean, half a day of another; a face a minute."""
    week, rest = 7 * 24 * 60, 12 * 60
    return {
        "rapt_face_confidence_count": f"0+100x{week + rest}",
        "rapt_face_confidence_sum": (
            f"0+{100 * before}x{week} {100 * before * week + 100 * after}+{100 * after}x{rest}"
        ),
    }


CASES = {
    "RaptNoModelAnswers": Case({"rapt_workers": "1x30"}, ANSWERS, 10),
    "RaptPhotosFail": Case(failing("ModelUnavailable", 12), failing("Overloaded", 60), 30),
    "RaptSheds": Case(failing("Overloaded", 60), failing("Overloaded", 12), 30),
    "RaptSlow": Case(taking("3.2"), taking("0.8"), 30),
    "RaptUnexpectedErrors": Case(
        {'rapt_http_requests_total{status="500"}': "_x10 1x50"},
        {'rapt_http_requests_total{status="500"}': "7x60", **ANSWERS},
        15,
    ),
    "RaptVersionsDiffer": Case(
        {**ANSWERS, 'rapt_model_info{model="emotion_classifier",version="2"}': "1x60"}, ANSWERS, 40
    ),
    "RaptConfidenceFell": Case(confidence(0.8, 0.6), confidence(0.8, 0.75), 7 * 24 * 60 + 300),
    "RaptRegistryAway": Case(
        {"rapt_model_registry_up": "0x120"},
        {'rapt_model_registry_up{pod="a"}': "0x120", 'rapt_model_registry_up{pod="b"}': "1x120"},
        90,
    ),
    "RaptChampionRefused": Case(
        {"rapt_model_registry_champion_refused": "1x60"},
        {"rapt_model_registry_champion_refused": "0x60"},
        30,
    ),
    "RaptPullFails": Case(
        {"rapt_model_registry_pull_failed": "1x60"}, {"rapt_model_registry_pull_failed": "0x60"}, 30
    ),
    "RaptNoWorker": Case(
        {"rapt_workers": "0x60", 'rapt_jobs{state="queued"}': "2x60"},
        {"rapt_workers": "0x60", 'rapt_jobs{state="queued"}': "0x60"},
        30,
    ),
    "RaptJobsWait": Case(
        {"rapt_jobs_oldest_queued_seconds": "3000+60x60"},
        {"rapt_jobs_oldest_queued_seconds": "3000x60"},
        30,
    ),
    "RaptJobTakesLong": Case(
        {"rapt_jobs_oldest_running_seconds": "21000+60x60"},
        {"rapt_jobs_oldest_running_seconds": "21000x60"},
        30,
    ),
    "RaptStorageFails": Case(
        {
            'rapt_storage_errors_total{reason="StorageUnavailable"}': "0+1x60",
            'rapt_storage_errors_total{reason="StorageFull"}': "0x60",
        },
        {'rapt_storage_errors_total{reason="StorageUnavailable"}': "3x60"},
        30,
        {"reason": "StorageUnavailable"},
    ),
    "RaptJobsUnknown": Case(ANSWERS, {**ANSWERS, "rapt_workers": "0x60"}, 30),
    "RaptDeliveriesWait": Case(
        {'rapt_deliveries_waiting{channel="kafka"}': "101x60"},
        {'rapt_deliveries_waiting{channel="kafka"}': "100x60"},
        40,
        {"channel": "kafka"},
    ),
    "RaptKafkaAway": Case({"rapt_kafka_up": "0x60"}, {"rapt_kafka_up": "1x60"}, 30),
}


def rules() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["spec"]
    return spec


def firing(alert: str, case: Case) -> list[dict[str, Any]]:
    """What promtool is to find of it."""
    (rule,) = [
        one for group in rules()["groups"] for one in group["rules"] if one["alert"] == alert
    ]
    annotations = {
        name: re.sub(r"{{ \$labels\.(\w+) }}", lambda match: case.labels[match[1]], text)
        for name, text in rule["annotations"].items()
    }
    return [{"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": annotations}]


def trial(alert: str, case: Case, *, fires: bool) -> dict[str, Any]:
    series = case.fires if fires else case.silent
    return {
        "name": f"{alert} {'fires' if fires else 'is silent'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {
                "eval_time": f"{case.at}m",
                "alertname": alert,
                "exp_alerts": firing(alert, case) if fires else [],
            }
        ],
    }


def promtool(*words: str | Path) -> None:
    done = subprocess.run(  # noqa: S603  # our own words
        [tool("promtool"), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    """The rules as Prometheus reads them."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rules()))
    return path


def test_every_alert_is_tried() -> None:
    assert list(CASES) == list(alert_expressions())


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "silent"])
@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_when_it_should_and_only_then(
    alert: str, rule_file: Path, tmp_path: Path, *, fires: bool
) -> None:
    tests = tmp_path / "tests.yaml"
    tests.write_text(
        yaml.safe_dump(
            {"rule_files": [str(rule_file)], "tests": [trial(alert, CASES[alert], fires=fires)]}
        )
    )
    promtool("test", "rules", tests)


def test_the_rules_and_the_dashboards_queries_are_promql(rule_file: Path, tmp_path: Path) -> None:
    queries = tmp_path / "queries.yaml"
    recorded = [
        {"record": f"query:{number}", "expr": expression}
        for number, expression in enumerate(dashboard_expressions().values())
    ]
    queries.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool("check", "rules", rule_file)
    promtool("check", "rules", queries)

"""The files of the component, and the expressions of PromQL in them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

COMPONENT = Path(__file__).resolve().parents[3] / "k8s" / "components" / "monitoring"
RULES = COMPONENT / "prometheusrule.yaml"
DASHBOARD = COMPONENT / "dashboard.json"
_INTERVAL = "$__rate_interval"  # Grafana's own; it takes four scrapes or more.
_NAME = re.compile(r"\b((?:rapt|nv)_\w+)")


def alert_expressions() -> dict[str, str]:
    """Of each alert."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["spec"]["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def dashboard_expressions(interval: str = "5m") -> dict[str, str]:
    """Of each query, by its panel's title and its letter."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return {
        f"{panel['title']} {target['refId']}": target["expr"].replace(_INTERVAL, interval)
        for panel in panels
        for target in panel.get("targets", [])
    }


def metrics_of(expression: str) -> set[str]:
    """The names of the metrics in an expression; a histogram's is one."""
    return {
        re.sub(r"^(rapt_.*)_(bucket|sum|count)$", r"\1", name) for name in _NAME.findall(expression)
    }


def all_expressions() -> Iterator[str]:
    """Of the alerts and the dashboard."""
    yield from alert_expressions().values()
    yield from dashboard_expressions().values()

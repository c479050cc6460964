"""Monitoring: who is scraped, what alerts and dashboards ask for."""

import json
import re
from collections.abc import Iterator
from typing import Any

from k8s.checks.manifests import Problem, Rendered, selects
from k8s.checks.metrics import asked_by

_PATH = "/metrics"  # Of the front, and of Triton.
_OURS = "rapt_"  # Others' metrics may be asked for too.
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_PAIRS = {")": "(", "]": "[", "}": "{"}


def monitors_find_services(rendered: Rendered) -> Iterator[Problem]:
    """Prometheus is told of services that are there, and of ports that those have."""
    for monitor in rendered.of("ServiceMonitor"):
        selected = [
            one for one in rendered.of("Service") if selects(monitor.spec["selector"], one.labels)
        ]
        if not selected:
            yield monitor.problem("it selects no Service")
        names = {port.get("name") for one in selected for port in one.spec.get("ports", [])}
        for endpoint in monitor.spec["endpoints"]:
            if endpoint.get("path", _PATH) != _PATH:
                yield monitor.problem(f"it asks {endpoint['path']}: metrics are at {_PATH}")
            if selected and endpoint["port"] not in names:
                yield monitor.problem(f"no Service that it selects has a port {endpoint['port']}")


def alerts_can_fire(rendered: Rendered) -> Iterator[Problem]:
    """Alerts ask for metrics that there are, and their brackets match; tests ask promtool too."""
    for rules in rendered.of("PrometheusRule"):
        for group in rules.spec["groups"]:
            for rule in group["rules"]:
                for reason in _reasons(str(rule["expr"])):
                    yield rules.problem(f"{rule.get('alert', rule.get('record'))} {reason}")


def dashboards_can_be_read(rendered: Rendered) -> Iterator[Problem]:
    """Dashboards are JSON, and ask for metrics that there are."""
    for config in rendered.of("ConfigMap"):
        for name, text in config.body.get("data", {}).items():
            if not name.endswith(".json"):
                continue
            try:
                dashboard = json.loads(text)
            except json.JSONDecodeError as error:
                yield config.problem(f"{name} is no JSON: {error}")
                continue
            for title, expression in _queries(dashboard):
                for reason in _reasons(expression):
                    yield config.problem(f"{title} {reason}")


def _queries(dashboard: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any JSON
    panels = dashboard.get("panels", []) if isinstance(dashboard, dict) else []
    for panel in panels:
        for target in panel.get("targets", []):
            yield panel.get("title", "a panel"), target.get("expr", "")


def _reasons(expression: str) -> Iterator[str]:
    if not _is_balanced(expression):
        yield "has brackets that don't match"
        return
    for asked in asked_by(expression):
        if asked.name.startswith(_OURS) and asked.problem is not None:
            yield f"asks for {asked.problem}"


def _is_balanced(expression: str) -> bool:
    opened: list[str] = []
    for sign in _STRING.sub("", expression):
        if sign in _PAIRS.values():
            opened.append(sign)
        elif sign in _PAIRS and (not opened or opened.pop() != _PAIRS[sign]):
            return False
    return not opened

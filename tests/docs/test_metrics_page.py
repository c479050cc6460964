"""The page lists every metric that the code has, with its type and labels, and no other."""

import re
from contextlib import suppress

import yaml
from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Exposed

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import Overloaded
from k8s.checks.metrics import PAGE, Metric, listed
from service.metrics import (
    GrpcMetrics,
    HttpMetrics,
    PhotoMetrics,
    StageCallMetrics,
    StageMetrics,
    SwapMetrics,
)
from service.present import JobsPresent, Present, QueueWait, VideoSeconds
from tests.k8s.monitoring.files import RULES
from tests.stages import MODEL

_OF_BUCKETS = {"le"}


def exposed() -> set[Metric]:
    """All of them, each with a sample of its own."""
    registry = CollectorRegistry()
    photos = PhotoMetrics(registry)
    photos.results([Overloaded("full")])
    with suppress(Overloaded), photos.request():
        raise Overloaded("full")
    HttpMetrics(registry).ended("GET", "/", 200, 0.1)
    GrpcMetrics(registry).ended("ModelInfer", "OK", 0.1)
    SwapMetrics(registry).swapped()
    StageCallMetrics(registry)
    stages = StageMetrics(registry)
    for stage in (DETECTOR_NAME, CLASSIFIER_NAME):
        stages.counted(stage, list)([1])
    registry.register(
        Present(
            MODEL,
            registry_up=True,
            champion_refused=False,
            pull_failed=False,
            storage_errors={"StorageFull": 0},
        )
    )
    waits = {"normal": QueueWait(1.0, 2.0)}
    registry.register(
        JobsPresent(
            workers=1,
            by_state={"queued": 1},
            oldest_queued=1.0,
            waits=waits,
            undelivered={"webhook": 1},
            kafka_up=True,
            video_seconds={"queued": VideoSeconds()},
        )
    )
    return {_metric(one) for one in registry.collect()}


def _metric(one: Exposed) -> Metric:
    samples = [sample for sample in one.samples if not sample.name.endswith("_created")]
    labels = frozenset({label for sample in samples for label in sample.labels} - _OF_BUCKETS)
    name = f"{one.name}_total" if one.type == "counter" else one.name
    return Metric(name, one.type, labels)


def test_every_metric_is_listed_with_its_type_and_labels_and_no_other() -> None:
    assert set(listed()) == exposed()


def test_every_alert_is_listed_with_its_severity_and_no_other() -> None:
    rows = re.findall(r"^\| `(Rapt\w+)` \| (page|ticket) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["spec"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]

"""What is true at the moment of a scrape, and all metrics in Prometheus' text format.

Which model answers, whether the registry does, how it stands with jobs: it is asked for each time,
so that nothing old is told. prometheus_client is imported late, as in ``service.metrics``.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emotion.faces import ModelVersion

if TYPE_CHECKING:
    from prometheus_client import Metric

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Present:
    """What is true at the moment of a scrape.

    Attributes:
        model: who answers; None where nobody does.
        registry_up: whether the model registry answers; None where nobody asks it, or yet.
        champion_refused: whether the registry's champion may not be served; None as above.
        pull_failed: whether the last pull failed by what is here, not there; None as above.
        storage_errors: how often storage failed this process, by the kind of failure.
    """

    model: ModelVersion | None
    registry_up: bool | None
    champion_refused: bool | None
    pull_failed: bool | None = None
    storage_errors: Mapping[str, int] = field(default_factory=dict, hash=False)

    def collect(self) -> "Iterator[Metric]":
        """Give the metrics, as prometheus_client's collectors do."""
        from prometheus_client.core import (  # noqa: PLC0415  # see above
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        if self.storage_errors:
            failures = CounterMetricFamily(
                "rapt_storage_errors",
                "Failures of the storage of jobs, rows and objects, that a front met.",
                labels=["reason"],
            )
            for reason, count in self.storage_errors.items():
                failures.add_metric([reason], count)
            yield failures
        if self.model is not None:
            info = GaugeMetricFamily(
                "rapt_model_info", "Which classifier answers.", labels=["model", "version"]
            )
            info.add_metric([self.model.name, self.model.version], 1)
            yield info
        for name, value, what in (
            ("up", self.registry_up, "Whether the model registry answered when last asked."),
            ("champion_refused", self.champion_refused, "Whether its champion may not be served."),
            ("pull_failed", self.pull_failed, "Whether the last pull failed by what is here."),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"rapt_model_registry_{name}", what, value=float(value))


@dataclass(frozen=True, slots=True)
class QueueWait:
    """How long jobs waited that were begun lately, in seconds.

    Attributes:
        mean: of them.
        longest: of them.
    """

    mean: float
    longest: float


@dataclass(frozen=True, slots=True)
class VideoSeconds:
    """How many seconds of video are to be looked at, by how that is known.

    Attributes:
        planned: of videos that were begun: segments that are left, as long as they are set to be.
        by_size: of those that were not, from their bytes, as videos were that ended lately.
        guessed: of those whose size isn't known either, as long as those were.
    """

    planned: float = 0.0
    by_size: float = 0.0
    guessed: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class JobsPresent:
    """How it stands with jobs as a whole, at the moment of a scrape.

    Attributes:
        workers: how many are alive.
        by_state: how many jobs are in each state.
        oldest_queued: seconds that the one waits that waits longest; 0 where none does.
        oldest_running: seconds since the one of those in work was begun that was begun first.
        waits: how long those waited that were begun lately, by priority.
        undelivered: how many ends of jobs are still to be told, by channel.
        kafka_up: whether Kafka answers; None where nobody is to be connected to it.
        video_seconds: that are to be looked at, by state.
    """

    workers: int
    by_state: Mapping[str, int]
    oldest_queued: float
    waits: Mapping[str, QueueWait]
    undelivered: Mapping[str, int] = field(default_factory=dict)
    kafka_up: bool | None = None
    oldest_running: float = 0.0
    video_seconds: Mapping[str, VideoSeconds] = field(default_factory=dict)

    def collect(self) -> "Iterator[Metric]":
        """Give the metrics, as prometheus_client's collectors do."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # see above

        jobs = GaugeMetricFamily("rapt_jobs", "Jobs that are kept.", labels=["state"])
        for state, count in self.by_state.items():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily(
            "rapt_workers", "Workers that are alive.", value=float(self.workers)
        )
        yield GaugeMetricFamily(
            "rapt_jobs_oldest_queued_seconds",
            "How long the job waits that waits longest.",
            value=self.oldest_queued,
        )
        yield GaugeMetricFamily(
            "rapt_jobs_oldest_running_seconds",
            "How long ago the first one was begun of the jobs in work.",
            value=self.oldest_running,
        )
        yield self._video_seconds()
        for name, what in (
            ("mean", "How long jobs waited that were begun in the last ten minutes."),
            ("longest", "How long that one waited that waited longest of them."),
        ):
            waits = GaugeMetricFamily(
                f"rapt_jobs_queue_wait_{name}_seconds", what, labels=["priority"]
            )
            for priority, wait in self.waits.items():
                waits.add_metric([priority], getattr(wait, name))
            yield waits
        undelivered = GaugeMetricFamily(
            "rapt_deliveries_waiting",
            "Ends of jobs that are still to be told, by channel.",
            labels=["channel"],
        )
        for channel, count in self.undelivered.items():
            undelivered.add_metric([channel], count)
        yield undelivered
        if self.kafka_up is not None:
            yield GaugeMetricFamily(
                "rapt_kafka_up", "Whether Kafka answers.", value=float(self.kafka_up)
            )

    def _video_seconds(self) -> "Metric":
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # see above

        left = GaugeMetricFamily(
            "rapt_jobs_video_seconds",
            "Seconds of video that are to be looked at, by state and by how they are known.",
            labels=["state", "basis"],
        )
        for state, seconds in self.video_seconds.items():
            left.add_metric([state, "planned"], seconds.planned)
            left.add_metric([state, "size"], seconds.by_size)
            left.add_metric([state, "guess"], seconds.guessed)
        return left


def render_metrics(*present: Present | JobsPresent) -> bytes:
    """Return all metrics of all processes, and what is true now, in Prometheus' text format."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    now = CollectorRegistry()
    for one in present:
        now.register(one)
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return bytes(generate_latest(REGISTRY) + generate_latest(now))
    MultiProcessCollector(now)  # type: ignore[no-untyped-call]  # untyped in its package
    return bytes(generate_latest(now))

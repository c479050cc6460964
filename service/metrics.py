"""Prometheus metrics, of all processes of the service together.

What a process counts is kept in files that outlive it; what is true only now (which model
answers, whether the registry does) is asked for at each scrape, so that nothing old is told.

BentoML names the folder in which its processes keep their figures
(``PROMETHEUS_MULTIPROC_DIR``) after this module is imported, and prometheus_client decides
by it when *it* is first imported: so it is imported late, inside the functions.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from emotion.errors import RaptError
from emotion.faces import ModelVersion, PhotoAnswer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

Row = TypeVar("Row")
Result = TypeVar("Result")

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64)


class PhotoMetrics:
    """What the front counts: photos by outcome, faces, seconds, and requests in flight."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metrics, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram  # noqa: PLC0415  # see above

        registry = registry or REGISTRY

        self._photos = Counter(
            "rapt_photos",
            "Photos by outcome: answered, or the kind of error.",
            ["outcome"],
            registry=registry,
        )
        self._faces = Counter("rapt_faces", "Faces found.", registry=registry)
        self._refused = Counter(
            "rapt_requests_failed", "Requests failed whole.", ["reason"], registry=registry
        )
        self._seconds = Histogram(
            "rapt_request_seconds",
            "From a request's arrival to its end.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "rapt_requests_in_flight",
            "Requests in work or waiting.",
            multiprocess_mode="livesum",
            registry=registry,
        )

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request while the block runs, and how it fails, or that its client goes away."""
        began = time.perf_counter()
        self._in_flight.inc()
        try:
            yield
        except RaptError as error:
            self._refused.labels(type(error).__name__).inc()
            raise
        except asyncio.CancelledError:
            self._refused.labels("ClientGone").inc()
            raise
        finally:
            self._in_flight.dec()
            self._seconds.observe(time.perf_counter() - began)

    def results(self, results: Sequence[PhotoAnswer | RaptError]) -> None:
        """Count what photos came to."""
        for result in results:
            if isinstance(result, RaptError):
                self._photos.labels(type(result).__name__).inc()
            else:
                self._photos.labels("answered").inc()
                self._faces.inc(len(result.faces))


class StageMetrics:
    """What a process counts of the stages that it computes: batches, their rows and seconds."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metrics, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Histogram  # noqa: PLC0415  # see above

        registry = registry or REGISTRY
        self._rows = Histogram(
            "rapt_batch_rows",
            "Photos or faces that a stage computed at once.",
            ["stage"],
            buckets=_ROWS,
            registry=registry,
        )
        self._seconds = Histogram(
            "rapt_batch_seconds",
            "How long a stage took for a batch, waiting left out.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )

    def counted(
        self, stage: str, answer: Callable[[Sequence[Row]], list[Result]]
    ) -> Callable[[Sequence[Row]], list[Result]]:
        """Return the function that answers a stage's batches as one that counts them too."""
        rows, seconds = self._rows.labels(stage), self._seconds.labels(stage)

        def answer_and_count(batch: Sequence[Row]) -> list[Result]:
            rows.observe(len(batch))
            with seconds.time():
                return answer(batch)

        return answer_and_count


class GrpcMetrics:
    """What the front counts of gRPC: calls by method and status."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metric, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Counter  # noqa: PLC0415  # see above

        self._calls = Counter(
            "rapt_grpc_calls",
            "gRPC calls that ended, by method and status.",
            ["method", "code"],
            registry=registry or REGISTRY,
        )

    def ended(self, method: str, code: str) -> None:
        """Count a call of a method that is served."""
        self._calls.labels(method, code).inc()


class SwapMetrics:
    """What the process that holds the classifier counts: new versions, taken up or refused."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metric, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Counter  # noqa: PLC0415  # see above

        swaps = Counter(
            "rapt_model_swaps",
            "New versions of the classifier by outcome: swapped, or refused.",
            ["outcome"],
            registry=registry or REGISTRY,
        )
        # Labelled at once, so that both begin at 0.
        self.swapped = swaps.labels("swapped").inc
        self.refused = swaps.labels("refused").inc


@dataclass(frozen=True, slots=True)
class Present:
    """What is true at the moment of a scrape.

    Attributes:
        model: who answers; None where nobody does.
        registry_up: whether the model registry answers; None where nobody asks it, or yet.
        champion_refused: whether the registry's champion may not be served; None as above.
        pull_failed: whether the last pull failed by what is here, not there; None as above.
    """

    model: ModelVersion | None
    registry_up: bool | None
    champion_refused: bool | None
    pull_failed: bool | None = None

    def collect(self) -> "Iterator[Metric]":
        """Give the metrics, as prometheus_client's collectors do."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # see above

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


@dataclass(frozen=True, slots=True, eq=False)
class JobsPresent:
    """How it stands with jobs as a whole, at the moment of a scrape.

    Attributes:
        workers: how many are alive.
        by_state: how many jobs are in each state.
        oldest_queued: seconds that the one waits that waits longest; 0 where none does.
        waits: how long those waited that were begun lately, by priority.
        undelivered: how many ends of jobs are still to be told, by channel.
        kafka_up: whether Kafka answers; None where nobody is to be connected to it.
    """

    workers: int
    by_state: Mapping[str, int]
    oldest_queued: float
    waits: Mapping[str, QueueWait]
    undelivered: Mapping[str, int] = field(default_factory=dict)
    kafka_up: bool | None = None

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

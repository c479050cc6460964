"""Prometheus metrics: what the processes of the service count, of all of them together.

What a process counts is kept in files that outlive it; what is true only now is asked for at each
scrape (``service.present``). docs/metrics.md has all of them.

BentoML names the folder in which its processes keep their figures
(``PROMETHEUS_MULTIPROC_DIR``) after this module is imported, and prometheus_client decides
by it when *it* is first imported: so it is imported late, inside the functions.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import DeadlineExceeded, RaptError
from emotion.faces import PhotoAnswer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

Row = TypeVar("Row")
Result = TypeVar("Result")

_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 30.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64)
_FACES = (0, 1, 2, 4, 8, 16, 32, 64)
# The largest of seven probabilities is at least a seventh.
_CONFIDENCES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_GONE = "ClientGone"
_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def forget_requests_of_the_dead() -> None:
    """Have what processes had in work that were killed be counted no more; to be called at a start.

    prometheus_client keeps gauges of processes that live in files ``gauge_live*_PID.db``, and asks
    of none whether it does.
    """
    if _FOLDER_VARIABLE not in os.environ:
        return
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415  # see above

    files = Path(os.environ[_FOLDER_VARIABLE]).glob("gauge_live*_*.db")
    for process in {int(file.stem.rpartition("_")[2]) for file in files}:
        if not _is_alive(process):
            mark_process_dead(process)  # type: ignore[no-untyped-call]  # untyped in its package


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):
        # Another user's has the number of one of ours that is gone.
        return False
    return True


class PhotoMetrics:
    """What the front counts of photos: by outcome, faces, seconds, and requests in flight."""

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
        self._faces_per_photo = Histogram(
            "rapt_photo_faces",
            "Faces of a photo that was answered.",
            buckets=_FACES,
            registry=registry,
        )
        self._confidences = Histogram(
            "rapt_face_confidence",
            "Calibrated probability of the expression that a face was said to show.",
            buckets=_CONFIDENCES,
            registry=registry,
        )
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
    def request(self, *, is_hurried: bool = False) -> Iterator[None]:
        """Count a request while the block runs, and how it fails, or that its client goes away.

        Args:
            is_hurried: whether its client waits for less than a request may take; who is out of
                time is then the client.
        """
        began = time.perf_counter()
        self._in_flight.inc()
        try:
            yield
        except RaptError as error:
            is_gone = is_hurried and isinstance(error, DeadlineExceeded)
            self._refused.labels(_GONE if is_gone else type(error).__name__).inc()
            raise
        except asyncio.CancelledError:
            self._refused.labels(_GONE).inc()
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
                self._faces_per_photo.observe(len(result.faces))
                for face in result.faces:
                    self._confidences.observe(face.confidence)


class HttpMetrics:
    """What the front counts of HTTP: requests by method, route and status, and their seconds."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metrics, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Counter, Histogram  # noqa: PLC0415  # see above

        registry = registry or REGISTRY
        self._requests = Counter(
            "rapt_http_requests",
            "HTTP requests that ended, by method, route and status; probes left out.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "rapt_http_request_seconds",
            "From an HTTP request's arrival to the end of its answer, by route.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. Each name is one of few: callers' own words are not among them."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class StageCallMetrics:
    """What the front counts of the stages that it asks, wherever they are computed."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metrics, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Gauge, Histogram  # noqa: PLC0415  # see above

        registry = registry or REGISTRY
        seconds = Histogram(
            "rapt_stage_seconds",
            "From handing rows to a stage to its answer, waiting included.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        rows = Gauge(
            "rapt_stage_rows",
            "Photos or faces that a stage was handed and has not answered.",
            ["stage"],
            multiprocess_mode="livesum",
            registry=registry,
        )
        # Labelled at once, so that both begin at 0.
        stages = DETECTOR_NAME, CLASSIFIER_NAME
        self._of = {stage: (seconds.labels(stage), rows.labels(stage)) for stage in stages}

    @contextmanager
    def asked(self, stage: str, rows: int) -> Iterator[None]:
        """Count a call of a stage while the block runs."""
        seconds, in_hand = self._of[stage]
        in_hand.inc(rows)
        try:
            with seconds.time():
                yield
        finally:
            in_hand.dec(rows)


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
    """What the front counts of gRPC: calls by method and status, and their seconds."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """Register the metrics, once in a registry; prometheus_client's own is the default."""
        from prometheus_client import REGISTRY, Counter, Histogram  # noqa: PLC0415  # see above

        registry = registry or REGISTRY
        self._seconds = Histogram(
            "rapt_grpc_call_seconds",
            "From a gRPC call's arrival to its end, by method; streams left out.",
            ["method"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._calls = Counter(
            "rapt_grpc_calls",
            "gRPC calls that ended, by method and status.",
            ["method", "code"],
            registry=registry,
        )

    def ended(self, method: str, code: str, seconds: float | None = None) -> None:
        """Count a call of a method that is served; None: how long it took says nothing."""
        self._calls.labels(method, code).inc()
        if seconds is not None:
            self._seconds.labels(method).observe(seconds)


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

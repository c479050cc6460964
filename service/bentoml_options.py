"""What the topologies tell BentoML about their services."""

import math
from typing import Any

from service.settings import Settings

# A dependency's client closes its session every so many calls or seconds, and fails the calls
# that are in flight: never do that.
_NEVER = 10**9
# The front ends a request in time itself, a photo at its deadline and an upload after its hour;
# BentoML's own limits come these seconds later, as a last resort.
_MARGIN = 10.0


def front_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the front service.

    BentoML counts a request's time until its answer begins, an upload's arrival included, and has
    one limit for all (``service.http.time_limit``).

    BentoML's own request metrics are off: they are labelled with the path that was asked for, so
    whoever asks for many paths fills memory and disk.
    """
    return {
        "name": "EmotionService",
        "workers": 1,
        "traffic": {"timeout": max(settings.deadline_seconds, settings.upload_seconds) + _MARGIN},
        "metrics": {"enabled": False},
        "logging": {"access": {"enabled": False}},
    }


def stage_options(settings: Settings, name: str, processes: int = 1) -> dict[str, Any]:
    """Return the options of a service that holds a model: a computing thread a process.

    BentoML's metrics of it are off: they cost more than ours, which tell rows, too.
    """
    return {
        "name": name,
        "workers": processes,
        "threads": 1,
        "traffic": {"timeout": settings.deadline_seconds + _MARGIN},
        "runner_connection": {"max_requests": _NEVER, "max_age": float(_NEVER)},
        "metrics": {"enabled": False},
        "logging": {"access": {"enabled": False}},
    }


def batch_options(settings: Settings, max_batch: int) -> dict[str, Any]:
    """Return the options of a batched call.

    ``max_latency_ms`` is no wait for a batch to fill: it is when BentoML gives up on a row.
    """
    return {
        "batchable": True,
        "max_batch_size": max_batch,
        "max_latency_ms": math.ceil((settings.deadline_seconds + _MARGIN) * 1000),
    }

"""``python -m benchmarks.sizing``: how many pods a load takes, from the figures last measured.

The utilisation law gives the cores that are busy: rate times processor time. How busy a pod may be
follows from how many requests may be in it: of a queue with one server, random arrivals and random
service times, ``busy / (1 - busy)`` are in flight and ``busy ** 2 / (1 - busy)`` wait (Kleinrock,
Queueing Systems, volume 1, 3.2, and Little's law). Service times here vary less, so it is an upper
bound.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.measured import results_option

# What the autoscalers of k8s/ are set to.
IN_FLIGHT = 4.0  # A front, of one core.
WAITING = 2.0  # A Triton server, of two cores.
_CORES_OF_TRITON = 2.0
_CLIENTS = 8
_STREET = "1080p street, 8 faces"
# What is sized: once, ten and a hundred times.
PHOTOS_A_SECOND = (10, 100, 1000)
VIDEO_HOURS_A_DAY = (100, 1000, 10_000)
# Two at least of what must not be gone while one of them is moved.
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Costs:
    """Processor seconds.

    Attributes:
        inline: a photo, with both models in the front.
        triton_front: a photo in a front that asks Triton.
        triton: a photo on Triton.
        video: a second of video, the dearest of those measured.
    """

    inline: float
    triton_front: float
    triton: float
    video: float

    @classmethod
    def of(cls, results: Mapping[str, Any]) -> "Costs":
        """Read them out of the figures that benchmarks keep."""
        service = {
            one["topology"]: (one["server_ms"] / 1000, one["front_ms"] / 1000)
            for one in results["photo_cost"]["service"]
            if (one["transport"], one["clients"]) == ("http", _CLIENTS)
        }
        all_of_it, front = service["triton"]
        (street,) = [one for one in results["video_speed"]["videos"] if one["name"] == _STREET]
        return cls(
            inline=service["inline"][0],
            triton_front=front,
            triton=all_of_it - front,
            video=street["cpu"] / street["seconds"],
        )


def busy_with(in_flight: float) -> float:
    """Return how busy a server is that has so many requests in work and waiting, 0 to 1."""
    return in_flight / (1 + in_flight)


def busy_behind(waiting: float) -> float:
    """Return how busy a server is before which so many wait, 0 to 1."""
    # The root of busy ** 2 + waiting * busy - waiting.
    return (math.sqrt(waiting * waiting + 4 * waiting) - waiting) / 2


def pods(rate: float, cost: float, busy: float, cores: float = 1.0, least: int = _LEAST) -> int:
    """Return how many pods a rate takes.

    Args:
        rate: of photos, or seconds of video, a second.
        cost: processor seconds of each.
        busy: how busy a pod is to be, 0 to 1.
        cores: of a pod.
        least: that are there in any case.
    """
    return max(least, math.ceil(rate * cost / (busy * cores)))


def as_table(costs: Costs) -> list[str]:
    """Return the lines of a table in Markdown: pods for a load, ten and a hundred times it."""
    front, triton = busy_with(IN_FLIGHT), busy_behind(WAITING)
    lines = [
        "| photos a second | fronts, models inside | or fronts | and Triton servers | "
        "video hours a day | workers |",
        "|---|---|---|---|---|---|",
    ]
    for rate, hours in zip(PHOTOS_A_SECOND, VIDEO_HOURS_A_DAY, strict=True):
        numbers = (
            rate,
            pods(rate, costs.inline, front),
            pods(rate, costs.triton_front, front),
            pods(rate, costs.triton, triton, _CORES_OF_TRITON),
            hours,
            # Videos can wait, so workers may be busy all day but for a fifth of it.
            pods(hours / 24, costs.video, front, least=1),
        )
        lines.append(f"| {' | '.join(f'{number:,}' for number in numbers)} |")
    return lines


@click.command()
@results_option
def main(results: Path) -> None:
    """Print the table."""
    figures = json.loads(results.read_text(encoding="utf-8"))
    click.echo("\n".join(as_table(Costs.of(figures))))


if __name__ == "__main__":
    main()

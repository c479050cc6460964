"""``python -m benchmarks.queueing``: whether a front is as busy and as full as sizing counts with.

One front with the models inside, on one core, as a pod of k8s/. Photos arrive at random (a Poisson
process) from another core, and nobody waits for the answer before he sends the next, as a crowd
does. What is in flight is the gauge that the autoscaler reads. The step from the first load to the
one of ten times as much is the spike.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp
import click
import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.load import over_http, put_load
from benchmarks.measured import results_option, write_figures
from benchmarks.running import Running, running_service
from benchmarks.samples import one_face
from benchmarks.sizing import IN_FLIGHT, busy_with

# Shares of what a core can answer: a tenth of what a pod is sized for, that, and too much.
_BUSY = (busy_with(IN_FLIGHT) / 10, 0.5, busy_with(IN_FLIGHT), 1.5)
_CLIENTS = 8
_COST_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_SEED = 1
_HEADERS = {"Content-Type": "image/jpeg"}
_FRONT_ALONE = ("--workers", "0")


@dataclass(frozen=True, slots=True)
class Seen:
    """One load, and what came of it.

    Attributes:
        busy: the share of the core that the load takes.
        rate: photos that arrived a second.
        in_flight: mean of the gauge.
        answered: a second.
        refused: share of the photos, because the front was full.
        p50: milliseconds to an answer.
        p99: milliseconds that one answer in a hundred took longer than.
    """

    busy: float
    rate: float
    in_flight: float
    answered: float
    refused: float
    p50: float
    p99: float


@dataclass
class _Crowd:
    """Sends photos without waiting for each other's answers."""

    session: aiohttp.ClientSession
    photo: bytes
    times: list[float] = field(default_factory=list)
    refused: int = 0
    gauge: list[float] = field(default_factory=list)

    async def arrive(self, rate: float, seconds: float) -> None:
        """Arrive at random, at this many a second on average, and wait for the last answer."""
        drawn = random.Random(_SEED)  # noqa: S311  # no secret
        at = began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            looks = group.create_task(self._look())
            while (at := at + drawn.expovariate(rate)) < began + seconds:
                await asyncio.sleep(at - time.perf_counter())
                group.create_task(self._ask())
            looks.cancel()

    async def _ask(self) -> None:
        began = time.perf_counter()
        async with self.session.post("/v1/photos", data=self.photo, headers=_HEADERS) as answer:
            await answer.read()
            if answer.status == HTTPStatus.OK:
                self.times.append(1000 * (time.perf_counter() - began))
            elif answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                self.refused += 1
            else:
                raise click.ClickException(f"answered {answer.status}")

    async def _look(self) -> None:
        while True:
            async with self.session.get("/metrics") as answer:
                self.gauge.append(in_flight(await answer.text()))
            await asyncio.sleep(_LOOK_SECONDS)


def in_flight(metrics: str) -> float:
    """Return the gauge of requests in flight, summed over its labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "rapt_requests_in_flight"
    )


async def load_with(port: int, photo: bytes, busy: float, cost: float, seconds: float) -> Seen:
    """Offer what keeps a core this busy, where a photo costs so many seconds of it."""
    connector = aiohttp.TCPConnector(limit=0)
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession(url, connector=connector) as session:
        crowd = _Crowd(session, photo)
        await crowd.arrive(busy / cost, seconds)
    count = len(crowd.times) + crowd.refused
    p50, p99 = np.percentile(crowd.times, [50, 99])
    return Seen(
        busy=busy,
        rate=count / seconds,
        in_flight=float(np.mean(crowd.gauge)),
        answered=len(crowd.times) / seconds,
        refused=crowd.refused / count,
        p50=float(p50),
        p99=float(p99),
    )


def as_rows(seen: list[Seen]) -> list[str]:
    """Return a table in Markdown."""
    head = [
        "| busy | photos/s | in flight, as sized | in flight, seen | answered/s | refused "
        "| p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return head + [
        f"| {one.busy:.2f} | {one.rate:.1f} | {_sized(one.busy)} | {one.in_flight:.2f} "
        f"| {one.answered:.1f} | {one.refused:.1%} | {one.p50:.0f} | {one.p99:.0f} |"
        for one in seen
    ]


def _sized(busy: float) -> str:
    return f"{busy / (1 - busy):.2f}" if busy < 1 else "full"


@contextmanager
def _front_on_a_core() -> Iterator[Running]:
    """Run a front on one core while the block runs, and the block on the others."""
    cores = os.sched_getaffinity(0)
    if len(cores) == 1:
        raise click.ClickException("This takes two cores: one for the front, one for the crowd.")
    core = min(cores)
    os.sched_setaffinity(0, {core})
    try:
        with running_service("inline", *_FRONT_ALONE) as running:
            os.sched_setaffinity(0, cores - {core})
            yield running
    finally:
        os.sched_setaffinity(0, cores)


def _cost_of(running: Running, photo: bytes) -> float:
    """Return the processor seconds of a photo, with several clients at once."""
    clients = [over_http(running.ports["http"], photo) for _ in range(_CLIENTS)]
    put_load(clients, _COST_SECONDS / 2)
    before = running.cpu_seconds()
    load = put_load(clients, _COST_SECONDS)
    return (running.cpu_seconds() - before) / load.answers


@click.command()
@click.option("--seconds", type=float, default=40.0, show_default=True, help="For each load.")
@results_option
def main(seconds: float, results: Path) -> None:
    """Print what was in flight at each load, and write the figures as JSON."""
    photo = one_face(640, 480)
    with _front_on_a_core() as running:
        cost = _cost_of(running, photo)
        click.echo(f"{1000 * cost:.1f} CPU ms a photo\n")
        port = running.ports["http"]
        seen = [asyncio.run(load_with(port, photo, busy, cost, seconds)) for busy in _BUSY]
    click.echo("\n".join(as_rows(seen)))
    write_figures(results, "queueing", {"cost": cost, "loads": [asdict(one) for one in seen]})


if __name__ == "__main__":
    main()

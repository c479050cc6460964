"""``python -m benchmarks.cost``: writes docs/cost.md from the benchmarks' figures and a price file.

Nothing is measured here. Whoever changes prices, or measures anew, runs it again (``make cost``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import click

from benchmarks.costing import (
    MILLION,
    Cost,
    Fleet,
    fleet,
    million_photos,
    study_hours,
    thousand_video_hours,
    training_hours,
    year_of_models,
)
from benchmarks.prices import PRICES, PriceFile, PricesUnusable, read_prices
from service.storage.objects import PART

_RESULTS, _PAGE = Path("benchmarks/results.json"), Path("docs/cost.md")
# As many as keep every topology's batches filled, and no more.
_CLIENTS, _TRANSPORT = 8, "http"
_FLEETS, _VOLUMES = (2, 4, 16), (1, 10, 100, 1000)
_HOUR = 3600.0
_WIDTH = 110

Figures = Mapping[str, Any]


def page_of(results: Figures, file: PriceFile) -> str:
    """Return the page: what photos, videos and models cost, and what that hangs on."""
    photos = _milliseconds(results)
    inline = photos["inline", _CLIENTS]
    sections = (
        _head(results, file),
        _photos(photos, results["photo_cost"]["cpu_ms"], file),
        _videos(results, file),
        _replicas(inline, file),
        _batches(photos, file),
        _intervals(results, file),
        _models(file),
    )
    return "\n\n".join(sections) + "\n"


def _head(results: Figures, file: PriceFile) -> str:
    photo_day, video_day = (
        results[part]["measured"][:10] for part in ("photo_cost", "video_speed")
    )
    measured = _paragraph(
        "Made by `make cost` from [the benchmarks' figures](../benchmarks/results.json) (photos of",
        f"{photo_day}, videos of {video_day}, on {results['photo_cost']['cores']} cores) and",
        "[a price file](../benchmarks/prices.toml).",
        f"**The prices are examples**, in {file.currency}: {file.source}; {file.date}.",
        "Change the file and run it again.",
    )
    hour = _paragraph(
        f"A core that is paid for, with {file.pods.memory_gib_a_core:g} GiB of memory, is",
        f"{file.core_hour:.4f} an hour. Cores are busy for {file.pods.utilisation:.0%} of the",
        f"time, so an hour of work is {file.busy_core_hour:.4f}.",
        "A database, load balancers, logs and people are left out.",
    )
    return f"# What it costs\n\n{measured}\n\n{hour}"


def _photos(
    photos: Mapping[tuple[str, int], float], stages: Mapping[str, float], file: PriceFile
) -> str:
    more = stages["12 megapixels"] - stages["bare pipeline"]
    costs = {
        topology: million_photos(milliseconds, file)
        for (topology, clients), milliseconds in photos.items()
        if clients == _CLIENTS
    }
    table = _table(
        ("topology", "CPU ms a photo", "core hours", "compute", "transfer", "together"),
        (
            (name, f"{photos[name, _CLIENTS]:.1f}", *_cells(cost, storage=False))
            for name, cost in costs.items()
        ),
    )
    said = _paragraph(
        f"640x480, one face, over HTTP, {_CLIENTS} clients at once. A photo of 12 megapixels takes",
        f"{more:.0f} ms more. Nothing is kept.",
    )
    return f"## A million photos\n\n{said}\n\n{table}"


def _videos(results: Figures, file: PriceFile) -> str:
    rows = (
        (one["name"], f"{_an_hour(one):.0f}", *_cells(_of_video(one, file), storage=True))
        for one in results["video_speed"]["videos"]
    )
    head = ("clip", "CPU s an hour", "core hours", "compute", "storage", "transfer", "together")
    said = _paragraph(
        f"A frame every 0.5 s. An upload of {file.videos.gib_an_hour:g} GiB an hour is kept for",
        f"{file.videos.upload_hours:g} h, a report for {file.videos.report_days:g} days.",
        f"Uploads are written and read in parts of {PART / 2**20:g} MiB, each a request.",
    )
    return f"## A thousand hours of video\n\n{said}\n\n{_table(head, rows)}"


def _replicas(milliseconds: float, file: PriceFile) -> str:
    fleets = [fleet(count, milliseconds, file) for count in _FLEETS]
    carried = million_photos(milliseconds, file).transfer
    head = ("fronts", "a month", "at most", *(f"of {count:,} million" for count in _VOLUMES))
    rows = (
        (
            str(one.replicas),
            f"{one.month:,.0f}",
            f"{one.photos / MILLION:,.0f} million",
            *(_of_volume(one, count, carried) for count in _VOLUMES),
        )
        for one in fleets
    )
    said = _paragraph(
        f"Fronts (`inline`, {file.pods.cores_a_front:g} cores each) that run all month: what they",
        "cost, how many photos they can answer, and what a million costs of so many a month, with",
        "its transfer.",
        "A core that waits costs as much as one that works: scale in.",
    )
    return f"## How it hangs on replicas\n\n{said}\n\n{_table(head, rows)}"


def _batches(photos: Mapping[tuple[str, int], float], file: PriceFile) -> str:
    counts = sorted({clients for _, clients in photos})
    topologies = list(dict.fromkeys(topology for topology, _ in photos))
    head = ("topology", *(_clients(count) for count in counts))
    rows = (
        (name, *(f"{million_photos(photos[name, count], file).total:.2f}" for count in counts))
        for name in topologies
    )
    said = _paragraph(
        "What a million photos cost. Batches grow with how many ask at once; the first few who ask",
        "together bring nearly all that can be had.",
    )
    return f"## How it hangs on batches\n\n{said}\n\n{_table(head, rows)}"


def _intervals(results: Figures, file: PriceFile) -> str:
    measured = results["video_intervals"]["videos"]
    names = list(dict.fromkeys(one["name"] for one in measured))
    steps = sorted({one["interval"] for one in measured})
    costs = {(one["name"], one["interval"]): _of_video(one, file).total for one in measured}
    head = ("clip", *(f"{step:g} s" for step in steps))
    rows = ((name, *(f"{costs[name, step]:.2f}" for step in steps)) for name in names)
    said = _paragraph(
        "A thousand hours, by seconds between frames that are looked at, measured on",
        f"{results['video_intervals']['measured'][:10]}. Decoding is paid for in any case.",
    )
    return f"## How it hangs on the interval\n\n{said}\n\n{_table(head, rows)}"


def _models(file: PriceFile) -> str:
    use, costs = file.training, year_of_models(_FLEETS[0], file)
    often = {
        "trainings": f"{use.trainings_a_year} of {training_hours(file):.1f} core hours",
        "studies": f"{use.studies_a_year} of {use.trials_a_study} trials, "
        f"{study_hours(file):.0f} core hours",
        "keeping data and models": f"{use.data_gib:g} GiB, {use.versions_kept} versions of "
        f"{use.model_mib:g} MiB",
        "rollouts": f"{use.rollouts_a_year}, {_FLEETS[0]} fronts twice for "
        f"{file.pods.rollout_minutes:g} minutes",
    }
    rows = [(name, often[name], f"{cost:.2f}") for name, cost in costs.items()]
    rows.append(("together", "", f"{sum(costs.values()):.2f}"))
    said = _paragraph(
        "Epochs of the default recipe as timed on two cores ([decisions](decisions.md));",
        f"{use.pruned_share:.0%} of a study's trials are given up after a quarter of theirs. Who",
        "labels, and who looks at the results, costs more than all of this.",
    )
    return f"## A year of models\n\n{said}\n\n{_table(('what', 'how often', 'a year'), rows)}"


def _of_volume(one: Fleet, millions: int, carried: float) -> str:
    """Return what a million of so many millions a month costs, or that they are too many.

    Args:
        one: the fronts that answer them.
        millions: a month.
        carried: what the transfer of a million costs.
    """
    if millions * MILLION > one.photos:
        return "too many"
    return f"{one.month / millions + carried:.2f}"


def _milliseconds(results: Figures) -> dict[tuple[str, int], float]:
    """Return CPU milliseconds a photo by topology and clients."""
    return {
        (one["topology"], one["clients"]): one["server_ms"]
        for one in results["photo_cost"]["service"]
        if one["transport"] == _TRANSPORT
    }


def _an_hour(video: Figures) -> float:
    """Return CPU seconds an hour of play time."""
    return float(_HOUR * video["cpu"] / video["seconds"])


def _of_video(video: Figures, file: PriceFile) -> Cost:
    return thousand_video_hours(_an_hour(video), file)


def _clients(count: int) -> str:
    return f"{count} client{'s' if count > 1 else ''}"


def _cells(cost: Cost, *, storage: bool) -> tuple[str, ...]:
    parts = (cost.compute, *((cost.storage,) if storage else ()), cost.transfer, cost.total)
    return (f"{cost.core_hours:.1f}", *(f"{part:.2f}" for part in parts))


def _paragraph(*parts: str) -> str:
    return fill(" ".join(parts), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@click.command()
@click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=PRICES,
    show_default=True,
    help="What things cost.",
)
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_PAGE,
    show_default=True,
    help="The page to write.",
)
def main(prices: Path, into: Path) -> None:
    """Write what photos, videos and models cost."""
    results = json.loads(_RESULTS.read_text(encoding="utf-8"))
    try:
        file = read_prices(prices)
    except PricesUnusable as error:
        raise click.ClickException(str(error)) from error
    into.write_text(page_of(results, file), encoding="utf-8")
    click.echo(f"{into} is written.")


if __name__ == "__main__":
    main()

"""``python -m benchmarks.photo_cost``: what a photo costs, stage by stage and through the service.

All on one photo (640x480, one face), one machine, in one run. CPU time is that of all processes
of the server, Triton's included; the clients' is told apart.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.measured import results_option, write_figures
from benchmarks.samples import one_face
from benchmarks.serving import Cost, measure_topology
from benchmarks.stages import classifier_against_its_limit, measure_stages

_REPOSITORY = Path("model_repository")
_TOPOLOGIES = ("inline", "runners", "triton")
_BARE = "bare pipeline"


def as_rows(costs: list[Cost], bare: float) -> list[str]:
    """Return the table's lines: CPU time a photo, how far above the bare pipeline, and waits."""
    head = (
        f"{'topology':<9}{'transport':<10}{'clients':>7}{'server ms':>11}{'over bare':>11}"
        f"{'ratio':>7}{'client ms':>11}{'p50 ms':>8}{'p99 ms':>8}{'photos/s':>10}"
    )
    rows = [
        f"{one.topology:<9}{one.transport:<10}{one.clients:>7}{one.server_ms:>11.1f}"
        f"{one.server_ms - bare:>+11.1f}{one.server_ms / bare:>7.2f}{one.client_ms:>11.1f}"
        f"{one.load.p50:>8.0f}{one.load.p99:>8.0f}{one.photos_a_second:>10.1f}"
        for one in costs
    ]
    return [head, *rows]


@click.command()
@click.option(
    "--topology",
    "topologies",
    type=click.Choice(_TOPOLOGIES),
    multiple=True,
    default=_TOPOLOGIES,
    show_default=True,
    help="What to start; may be given several times. triton needs `make triton` once.",
)
@click.option(
    "--seconds", type=float, default=10.0, show_default=True, help="For each row, in four turns."
)
@results_option
def main(topologies: tuple[str, ...], seconds: float, results: Path) -> None:
    """Print what a photo costs, and write the figures as JSON."""
    stages = measure_stages(_REPOSITORY)
    faces, limit = classifier_against_its_limit(_REPOSITORY)
    bare = stages[_BARE]
    click.echo("CPU ms a photo, one thread")
    for name, milliseconds in stages.items():
        click.echo(f"{name:<16}{milliseconds:>7.1f}{milliseconds / bare:>7.2f}")
    click.echo(
        f"classifier at batch 32: {faces:.0f} faces a CPU second, {faces / limit:.0%} of the "
        f"{limit:.0f} that multiplying int8 matrices allows\n"
    )
    costs: list[Cost] = []
    with TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        photo.write_bytes(one_face(640, 480))
        for topology in topologies:
            costs += measure_topology(topology, photo, seconds)
    click.echo("\n".join(as_rows(costs, bare)))
    figures = {
        "cpu_ms": stages,
        "classifier": {"faces_a_second": faces, "limit": limit},
        "service": [cost.as_figures() for cost in costs],
    }
    write_figures(results, "photo_cost", figures)


if __name__ == "__main__":
    main()

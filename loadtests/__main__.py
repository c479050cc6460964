"""``python -m loadtests``: puts loads on a service and says whether it kept its service levels.

It starts a service of its own on free ports, unless it is told of another. Exit status 1 where a
level was missed.
"""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from benchmarks.running import running_service
from loadtests.options import Positive, of_url
from loadtests.run import Load, Target, run_load
from loadtests.shapes import SHAPES, stretched
from loadtests.verdict import promised, tell

_REPORTS = Path("build/load")


@click.command()
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    type=click.Choice(list(SHAPES)),
    default=["steady", "spike"],
    show_default=True,
    help="Of the load; may be given several times.",
)
@click.option(
    "--topology",
    type=click.Choice(["inline", "runners", "triton"]),
    default="runners",
    show_default=True,
    help="Of the service that is started.",
)
@click.option(
    "--rate", type=Positive(), help="Calls a second of steady stages.  [default: levels.toml]"
)
@click.option(
    "--scale",
    type=Positive(),
    default=1.0,
    show_default=True,
    help="Stages last so many times as long.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="That make the calls.",
)
@click.option(
    "--target",
    nargs=2,
    metavar="URL HOST:PORT",
    callback=of_url,
    help="A service that runs: where it speaks HTTP, and where gRPC.",
)
def main(
    *,
    shapes: Sequence[str],
    topology: str,
    rate: float | None,
    scale: float,
    processes: int,
    target: tuple[str, str] | None,
) -> None:
    """Put loads on a service and say whether it kept its service levels.

    A page for each shape is written to build/load.
    """
    signal.signal(signal.SIGTERM, _end)
    levels = promised()
    is_kept = True
    with _called(topology, target) as called:
        for shape in shapes:
            load = Load(shape, rate if rate is not None else levels.rate, scale, processes)
            rows = run_load(called, load, _REPORTS / f"{shape}.html")
            said = f"{shape} at {load.rate:g} calls a second"
            is_kept &= tell(said, levels, stretched(SHAPES[shape], scale), rows)
    sys.exit(not is_kept)


def _end(number: int, _: FrameType | None) -> None:
    """Go through what ends with the blocks, once; as it is told of a signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


@contextmanager
def _called(topology: str, target: tuple[str, str] | None) -> Iterator[Target]:
    if target is not None:
        yield Target(*target)
        return
    with running_service(topology) as running:
        ports = running.ports
        yield Target(f"http://127.0.0.1:{ports['http']}", f"127.0.0.1:{ports['grpc']}")


if __name__ == "__main__":
    main()

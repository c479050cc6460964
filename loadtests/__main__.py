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
from urllib.parse import urlsplit

import click

from benchmarks.running import running_service
from loadtests.levels import Levels, answers_a_second, calls_a_second, missed, read_levels
from loadtests.results import Row
from loadtests.run import Load, Target, run_load
from loadtests.shapes import SHAPES, Shape, positive, stretched

_REPORTS = Path("build/load")


class _Positive(click.ParamType[float]):
    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return positive(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _of_url(
    _: click.Context, __: click.Parameter, target: tuple[str, str] | None
) -> tuple[str, str] | None:
    if target is not None:
        url = urlsplit(target[0])
        if url.scheme not in ("http", "https") or not url.netloc:
            raise click.BadParameter(f"{target[0]!r} is no URL: say http://HOST:PORT.")
    return target


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
    "--rate", type=_Positive(), help="Calls a second of steady stages.  [default: levels.toml]"
)
@click.option(
    "--scale",
    type=_Positive(),
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
    callback=_of_url,
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
    try:
        levels = read_levels()
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    is_kept = True
    with _called(topology, target) as called:
        for shape in shapes:
            load = Load(shape, rate if rate is not None else levels.rate, scale, processes)
            rows = run_load(called, load, _REPORTS / f"{shape}.html")
            is_kept &= _tell(levels, load, rows)
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


def _tell(levels: Levels, load: Load, rows: Sequence[Row]) -> bool:
    """Print the figures and a line with the verdict; return whether all levels were kept."""
    shape = stretched(SHAPES[load.shape], load.scale)
    for line in table(shape, rows):
        click.echo(line)
    found = missed(levels, shape, rows)
    for one in found:
        click.echo(f"missed: {one}")
    said = f"{len(found)} service levels missed" if found else "all service levels kept"
    click.echo(f"{load.shape} at {load.rate:g} calls a second: {said}")
    return not found


def table(shape: Shape, rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table: what came of each endpoint in each stage."""
    head = (
        f"| {'stage':<8} | {'endpoint':<26} | answered | refused | failed | p95 ms | p99 ms "
        "| calls/s | answers/s |"
    )
    lines = [head, "|---|---|---|---|---|---|---|---|---|"]
    for stage in shape:
        of_stage = [row for row in rows if row.stage == stage.name]
        lines += [
            f"| {stage.name:<8} | {row.endpoint:<26} | {row.answered:>8} | {row.refused:>7} "
            f"| {row.failed:>6} | {row.percentile(0.95):>6} | {row.percentile(0.99):>6} "
            f"| {row.calls / stage.seconds:>7.1f} | {row.answered / stage.seconds:>9.1f} |"
            for row in sorted(of_stage, key=lambda row: row.endpoint)
        ]
        lines.append(
            f"| {stage.name:<8} | {'all of them':<26} |  |  |  |  |  "
            f"| {calls_a_second(stage.name, shape, rows):>7.1f} "
            f"| {answers_a_second(stage.name, shape, rows):>9.1f} |"
        )
    return lines


if __name__ == "__main__":
    main()

"""Tells people what came of a run, and whether the service kept its levels."""

from collections.abc import Sequence

import click

from loadtests.levels import Levels, answers_a_second, calls_a_second, missed, read_levels
from loadtests.results import Row
from loadtests.shapes import Shape


def promised() -> Levels:
    """Return the service levels.

    Raises:
        click.ClickException: they can't be read.
    """
    try:
        return read_levels()
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def tell(load: str, levels: Levels, shape: Shape, rows: Sequence[Row]) -> bool:
    """Print the figures and a line with the verdict; return whether all levels were kept."""
    for line in table(shape, rows):
        click.echo(line)
    found = missed(levels, shape, rows)
    for one in found:
        click.echo(f"missed: {one}")
    said = f"{len(found)} service levels missed" if found else "all service levels kept"
    click.echo(f"{load}: {said}")
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

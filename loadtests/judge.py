"""``python -m loadtests.judge``: the verdict on a run of Locust on several machines."""

import sys
from pathlib import Path

import click

from loadtests.options import Positive
from loadtests.results import read_results
from loadtests.shapes import SHAPES, stretched
from loadtests.verdict import promised, tell


@click.command()
@click.argument("figures", type=click.Path(path_type=Path))
@click.option("--shape", type=click.Choice(list(SHAPES)), required=True, help="As Locust's.")
@click.option("--scale", type=Positive(), default=1.0, show_default=True, help="As Locust's.")
def main(*, figures: Path, shape: str, scale: float) -> None:
    """Say whether the service kept its levels in a run that `locust --json-file` wrote.

    Exit status 1 where a level was missed.
    """
    levels = promised()
    try:
        rows = read_results(figures)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(not tell(shape, levels, stretched(SHAPES[shape], scale), rows))


if __name__ == "__main__":
    main()

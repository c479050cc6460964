"""``python -m training measure-framing``."""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import data_option, repository_option


@click.command()
@data_option
@repository_option
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    help="How many training images to look at, drawn at random.  [default: all]",
)
def measure_framing(*, source: Path, repository: Path, sample: int | None) -> None:
    """Measure where FER2013's faces have their landmarks.

    The detector that serves looks at training images; the means that are printed are the
    reference points of emotion/alignment.py.

    \b
    Example:
        python -m training measure-framing --sample 6000
    """
    from training.data.dataset import without_leaks
    from training.data.fer2013 import load_fer2013
    from training.data.finders import OnnxFaceNetwork, detector_file
    from training.data.framing import as_table
    from training.data.framing import measure_framing as measure

    network = OnnxFaceNetwork(detector_file(repository))
    images = without_leaks(load_fer2013(source)).images
    click.echo(as_table(measure(images, network, sample)))

"""``python -m training train``."""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import (
    data_option,
    device_option,
    experiment_option,
    run_folder,
    threads_option,
)


@click.command()
@data_option
@experiment_option
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the run, outside the checkout.  [default: $RAPT_HOME/runs/NAME, where NAME "
    "is the experiment file's, or 'default'; RAPT_HOME is ~/.rapt unless set]",
)
@click.option("--resume", is_flag=True, help="Go on after the run's last finished epoch.")
@device_option
@threads_option
def train(
    *,
    source: Path,
    config: Path | None,
    folder: Path | None,
    resume: bool,
    device: str,
    threads: int,
) -> None:
    """Train a network, or go on training it.

    Images of the training split that are copies of val or test images are dropped. After
    every epoch a checkpoint is on disk and the averaged weights are judged on val; the best
    epoch's are kept. A run that was cut off gives, with --resume, what it would have given.

    \b
    Examples:
        nice -n 19 python -m training train
        python -m training train --resume
        python -m training train --data fer2013.csv --device cuda
        python -m training train --config training/configs/smoke.yaml --run /tmp/smoke
    """
    from training.data.dataset import without_leaks
    from training.data.fer2013 import load_fer2013
    from training.experiment import load_experiment
    from training.fitting.checkpoint import RunFolder
    from training.fitting.device import use_device
    from training.fitting.fit import fit

    recipe = load_experiment(config).train
    place = use_device(device, threads)
    run = RunFolder(folder or run_folder(config), resume=resume)  # made once the data are there
    data = load_fer2013(source, recipe.framing)
    learned = without_leaks(data).first(recipe.limit)
    for result in fit(recipe, learned, data.val.first(recipe.limit), run, place):
        click.echo(
            f"epoch {result.epoch + 1}/{recipe.epochs}  {result.size} px  "
            f"loss {result.loss:.4f}  val accuracy {result.val_accuracy:.2%}"
        )

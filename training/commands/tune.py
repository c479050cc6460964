"""``python -m training tune``."""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

import os
import re
from pathlib import Path
from typing import TypedDict, Unpack

import click

from training.commands.options import data_option, device_option
from training.home import home_folder

_ALL_CORES = os.cpu_count() or 1
_NAME = re.compile(r"\w[\w.-]*")


class _Options(TypedDict):
    """What the command is given, by name."""

    source: Path
    config: Path | None
    trials: int
    study: str | None
    storage: str | None
    workers: int
    device: str
    threads: int | None


def _checked_name(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    if name is not None and not _NAME.fullmatch(name):
        raise click.BadParameter("letters, digits, dots, dashes and underscores only")
    return name


@click.command()
@data_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="An experiment: its train section is where the study begins, its tune.search says what "
    "to search. Without it, the default experiment.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many trials the study should have in the end, whoever runs them.",
)
@click.option(
    "--study",
    callback=_checked_name,
    help="The study's name.  [default: the experiment's]",
)
@click.option(
    "--storage",
    envvar="RAPT_TUNE_STORAGE",
    help="Where the study lives: sqlite:///FILE, or postgresql://USER@HOST/DATABASE for workers "
    "on several machines; $RAPT_TUNE_STORAGE keeps a password out of sight.  [default: "
    "$RAPT_HOME/tuning/studies.db]",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that train at the same time.",
)
@device_option
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads of one worker.  [default: all cores, shared among the workers]",
)
def tune(**options: Unpack[_Options]) -> None:
    """Search for a better recipe: many trainings, each with other values.

    The experiment names keys of the recipe and their ranges:

    \b
        tune:
          search:
            learning_rate: {low: 0.02, high: 0.2, log: true}
            augmentation.scale: {low: 0.0, high: 0.25}

    The first trial has the recipe's own values. A trial that falls behind the others is pruned.
    Val (PublicTest) alone decides. The best recipe is written as an experiment file to
    $RAPT_HOME/tuning/STUDY.yaml; the curves of all trials are in MLflow, below one run of the
    study.

    The same command goes on with a study, or helps with it, here or on another machine that
    reaches the same storage and the same MLflow. The trial of a worker that died is taken up by
    another after 150 seconds.

    \b
    Examples:
        python -m training tune --trials 30
        python -m training tune --config training/configs/smoke.yaml --workers 2
        python -m training tune --storage postgresql://rapt@db/studies --study wide
    """
    from training.experiment import load_experiment, name_of
    from training.fitting.teachers import check_teachers
    from training.registry.tracking import tracking_uri
    from training.tuning.conduct import conduct
    from training.tuning.storage import storage_url
    from training.tuning.task import TuningTask

    name = name_of(options["config"])
    home = home_folder()
    task = TuningTask(
        experiment=load_experiment(options["config"]),
        name=name,
        study=options["study"] or name,
        storage=storage_url(options["storage"], home),
        tracking=tracking_uri(),
        source=options["source"],
        home=home,
        trials=options["trials"],
        device=options["device"],
        threads=options["threads"] or max(1, _ALL_CORES // options["workers"]),
    )
    check_teachers(task.experiment.train)
    conduct(task, options["workers"], click.echo)
    verb = "pipeline" if task.experiment.train.network == "served" else "train"
    click.echo(f"\nGo on with it:\n    python -m training {verb} --config {task.result}")

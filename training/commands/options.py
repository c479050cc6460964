"""Options that several commands share, and the places they default to."""

import os
from pathlib import Path

import click

from emotion.contract import CLASSIFIER_NAME
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

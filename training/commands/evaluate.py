"""``python -m training evaluate``."""

# Imports stand inside the commands: torch takes seconds to import, and neither --help nor a
# misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path
from typing import TYPE_CHECKING

import click

from training.commands.options import MODEL, data_option, threads_option

if TYPE_CHECKING:
    from training.recipe import Framing


@click.command()
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=MODEL,
    show_default=True,
    help="The classifier's ONNX file.",
)
@data_option
@click.option(
    "--split",
    type=click.Choice(["test", "val"]),
    default="test",
    show_default=True,
    help="Which images to score: test is PrivateTest, val is PublicTest.",
)
@click.option(
    "--framing",
    type=click.Choice(["raw", "aligned"]),
    default="raw",
    show_default=True,
    help="FER2013's own framing, or that of a served face (prepared data only).",
)
@click.option(
    "--groups",
    "groups_file",
    type=click.Path(path_type=Path),
    help="CSV with the columns row (zero-based, in the split's order) and group: also print "
    "accuracy, recall and gap by group of people. FER2013 has no such labels.",
)
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON object, in fractions.")
@threads_option
def evaluate(  # noqa: PLR0913  # an option each
    *,
    model: Path,
    source: Path,
    split: str,
    framing: "Framing",
    groups_file: Path | None,
    wants_json: bool,
    threads: int,
) -> None:
    """Score the served model file: accuracy, calibration, recall.

    Every image is seen once, as it is. Accuracy is given twice: on all images, and on those
    that are no copies of training images. FER+ accuracy compares with the majority of ten
    taggers, where the data has their votes. With --json the last line on stdout is one object
    with the keys accuracy, accuracy_without_copies, ferplus_accuracy, macro_f1, ece, recall,
    slices (dark, blurred, rotated, small: only for data that `prepare` has measured), groups.

    \b
    Examples:
        python -m training evaluate
        python -m training evaluate --split val --json
        python -m training evaluate --data ~/.rapt/data/default --framing aligned
        python -m training evaluate --data ~/.rapt/data/default --groups groups.csv
        python -m training evaluate --model /tmp/repository/emotion_classifier/1/model.onnx
    """
    from training.data.dataset import copies_in
    from training.data.fer2013 import load_fer2013
    from training.evaluation.groups import groups_as_table, judge_groups, read_groups
    from training.evaluation.metrics import evaluate as judge
    from training.evaluation.report import as_json, as_table
    from training.export.onnx_classifier import open_classifier

    classifier = open_classifier(model, threads)
    data = load_fer2013(source, framing)
    scored = data.test if split == "test" else data.val
    groups = read_groups(groups_file, scored) if groups_file else {}
    probabilities = classifier.answer_all(scored.images)
    result = judge(probabilities, scored, copies_in(scored, data.train))
    by_group = judge_groups(probabilities.argmax(axis=1), scored, groups)
    if wants_json:
        click.echo(as_json(result, by_group))
        return
    click.echo(
        f"{model}, version {classifier.version}, on {split} ({framing})\n\n{as_table(result)}"
    )
    if by_group:
        click.echo(f"\n{groups_as_table(by_group)}")

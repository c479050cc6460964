"""``python -m training prepare``."""

# Imports stand inside the commands: pyarrow and OpenCV take a second to import, and neither
# --help nor a misspelt option should wait for it.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import (
    experiment_option,
    override_data_option,
    repository_option,
    threads_option,
)
from training.home import home_folder


@click.command()
@override_data_option
@experiment_option
@click.option(
    "--detector",
    type=click.Choice(["retinaface", "mtcnn"]),
    help="Who finds the faces; retinaface is the one that serves.  [default: the experiment's; "
    "retinaface unless it says otherwise]",
)
@click.option(
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    help="Where the prepared data goes.  [default: $RAPT_HOME/data/NAME, where NAME is "
    "'default' for the default data, else told from source and detector]",
)
@repository_option
@threads_option
def prepare(
    *,
    source: str | None,
    config: Path | None,
    detector: str | None,
    folder: Path | None,
    repository: Path,
    threads: int,
) -> None:
    """Look at every face, and write what was seen as Parquet with a report on the data.

    The source is FER2013 in one of its three forms (Parquet, Kaggle's fer2013.csv, Kaggle's
    folders), or photos of any size in folders SPLIT/EMOTION/, where SPLIT is train, val and
    test. Of a photo the largest face is cut out with the code that serves; photos without a
    face, or that can't be decoded, are left out and listed in the report. Each face gets its
    score, landmarks, head pose, brightness, contrast and sharpness, and its pixels in the
    framing of a served face.

    What is prepared already is not done again, and what was cut off goes on. Of a source that
    `prepare` wrote, what the same detector saw is taken as it is. report.html in
    the output folder opens in any browser. S3 and Google's store take credentials and
    endpoint from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL;
    GOOGLE_APPLICATION_CREDENTIALS).

    \b
    Examples:
        python -m training prepare
        python -m training prepare --data photos/ --output /tmp/prepared
        python -m training prepare --data s3://faces/fer2013 --detector mtcnn
        python -m training train --data ~/.rapt/data/default
    """
    from training.data.prepare import carry_out, plan
    from training.experiment import DataRecipe, load_experiment

    recipe = load_experiment(config).data
    changes = {"source": source, "detector": detector}
    given = {key: value for key, value in changes.items() if value is not None}
    recipe = DataRecipe.model_validate({**recipe.model_dump(), **given})
    preparation = plan(recipe, home_folder(), repository, None, folder)
    if preparation.is_done:
        click.echo(f"{preparation.folder}: prepared already")
        return
    carry_out(preparation, repository, threads)
    click.echo(str(preparation.folder))

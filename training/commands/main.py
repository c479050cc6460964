"""``python -m training``: the commands, one a stage of making a model.

Each command reads as the list of its stages.
"""

# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

import errno
from typing import Any

import click

from training.commands.evaluate import evaluate
from training.commands.export import export, export_detector
from training.commands.measure import measure_framing
from training.commands.pipeline import pipeline
from training.commands.prepare import prepare
from training.commands.promote import promote
from training.commands.register import register
from training.commands.rollback import rollback
from training.commands.train import train
from training.commands.tune import tune
from training.errors import TrainingError


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        """Turn what the person at the keyboard can mend into one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except TrainingError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            # Without a number it is no error of a disk: a fault, and shown in full.
            if error.errno is None or isinstance(error, ConnectionError):
                raise
            raise click.ClickException(_what_happened(error)) from error


def _what_happened(error: OSError) -> str:
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{what}. Free some, and give the same command again (train: with --resume): it goes "
            "on where it was"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}. Choose another folder, by the option that names it or by RAPT_HOME"
    return what


@click.group(cls=_Commands)
def main() -> None:
    """Make the model that tells which of seven emotions a face shows.

    All of it in one go, recorded in MLflow, promoted only if it is better:

    \b
        python -m training pipeline --config training/configs/NAME.yaml
        python -m training rollback               the former champion back

    Or stage by stage:

    \b
        python -m training prepare                minutes: looks at every face
        python -m training tune                   days: many trainings, for a better recipe
        python -m training train                  hours: writes a run's folder
        python -m training export --run FOLDER    the run's best epoch to model_repository/
        python -m training evaluate               how good the served file is

    Progress goes to stderr, results to stdout. Choices are made on the val split
    (PublicTest); every look at the test split (PrivateTest) is logged in docs/decisions.md.
    """


for command in (
    train,
    tune,
    evaluate,
    export,
    export_detector,
    measure_framing,
    prepare,
    pipeline,
    promote,
    register,
    rollback,
):
    main.add_command(command)

"""``python -m training pipeline``."""

# Imports stand inside the commands: torch and MLflow take seconds to import, and neither --help
# nor a misspelt option should wait for them.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import (
    REPOSITORY,
    device_option,
    experiment_option,
    override_data_option,
    require_no_trial,
    threads_option,
)
from training.home import home_folder


@click.command()
@experiment_option
@override_data_option
@click.option(
    "--repository",
    type=click.Path(path_type=Path),
    help="The model repository that a new champion is written to; begun with the built-in "
    "models if absent. No trial is written into the project's own.  [default: "
    "$RAPT_HOME/export/model_repository; trial_repository for a trial]",
)
@device_option
@threads_option
def pipeline(
    *, config: Path | None, source: str | None, repository: Path | None, device: str, threads: int
) -> None:
    """Make a model, and promote it if it is better than the champion.

    prepare, train, package, evaluate, register, gate, promote, export. Each run has a folder,
    $RAPT_HOME/runs/NAME/001 and so on, where NAME is the experiment file's. A run that was cut
    off, however it ended, goes on where it was when the same command is given again; after a
    finished one the next number begins. What decides is the val split; the test split's labels
    are not looked at.

    Runs and versions are kept in MLflow: the server of MLFLOW_TRACKING_URI, or a SQLite file
    in $RAPT_HOME/mlflow. A challenger that the gate refuses is a normal end (exit code 0): the
    reasons are printed, and the champion stays. In a registry without a champion the built-in
    model becomes champion, and the challenger has to be better. The exported models are outside
    the checkout; `export` writes the champion where it can be committed.

    An experiment with train.limit is a trial: it shows that everything works, and makes nothing
    to serve. It never takes the place of a champion that is none. In a registry without a
    champion it becomes that uncompared, and after it a better trial; the built-in model takes
    the place back before anything else is promoted. Trials are written to
    $RAPT_HOME/export/trial_repository. Services refuse them, and `export` writes none into the
    project.

    \b
    Examples:
        nice -n 19 python -m training pipeline --config training/configs/smoke.yaml
        python -m training pipeline --data fer2013.csv --device cuda
        MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python -m training pipeline
    """
    from training.evaluation.decision import as_table
    from training.experiment import experiment_on, load_experiment, name_of
    from training.pipeline.run import Plan, run_pipeline
    from training.registry.tracking import Tracker, tracking_uri

    home = home_folder()
    experiment = experiment_on(load_experiment(config), source)
    # A trial is never served: it is written beside what is.
    exported = "model_repository" if experiment.train.limit is None else "trial_repository"
    repository = repository or home / "export" / exported
    require_no_trial(repository, experiment.train.limit)
    plan = Plan(
        name=name_of(config),
        experiment=experiment,
        home=home,
        built_in=REPOSITORY,
        repository=repository,
        device=device,
        threads=threads,
    )
    outcome = run_pipeline(plan, Tracker(tracking_uri()), lambda line: click.echo(line, err=True))
    click.echo(f"{as_table(outcome.decision)}\n")
    if outcome.model is None:
        click.echo(f"not promoted: {outcome.version}. {' '.join(outcome.decision.reasons)}")
    else:
        click.echo(f"promoted: {outcome.version}\n{outcome.model}")

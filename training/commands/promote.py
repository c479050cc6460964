"""``python -m training promote``."""

# Imports stand inside the commands: torch and MLflow take seconds to import, and neither --help
# nor a misspelt option should wait for them.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

from pathlib import Path

import click

from training.commands.options import (
    REPOSITORY,
    experiment_option,
    override_data_option,
    threads_option,
)
from training.home import home_folder


@click.command()
@click.option(
    "--version",
    "number",
    type=click.IntRange(min=1),
    help="MLflow's number of the version.  [default: the challenger's]",
)
@click.option("--force", is_flag=True, help="Promote it even if the gate refuses it.")
@click.option("--reason", help="Why it is forced; recorded on the version.")
@experiment_option
@override_data_option
@threads_option
def promote(
    *,
    number: int | None,
    force: bool,
    reason: str | None,
    config: Path | None,
    source: str | None,
    threads: int,
) -> None:
    """Ask the gate about a version, and make it champion if it is better.

    Champion and challenger answer the val split, all of it, its faces framed as the service
    frames them; it has to be the val that judged the champion. The challenger must be right more
    often by a one-sided McNemar test, and no emotion's recall and no slice's accuracy may fall
    by more than its margin (the experiment's section gate, which may only be stricter than the
    defaults). Where there is no champion yet, the built-in model becomes it first. The decision
    is recorded on the version, and printed. Exit code 1 if it is refused.

    \b
    Examples:
        python -m training promote
        python -m training promote --version 3
        python -m training promote --force --reason "the champion's data had to be deleted"
    """
    from training.errors import PromotionError
    from training.evaluation.decision import as_table
    from training.experiment import cut_to, experiment_on, load_experiment
    from training.pipeline.run import judging_val
    from training.registry import promotion
    from training.registry.built_in import BuiltIn
    from training.registry.tracking import Tracker, tracking_uri
    from training.registry.versions import Registry

    if force and not (reason and reason.strip()):
        raise PromotionError("--force needs a --reason; it is recorded on the version")
    registry, built_in = Registry(Tracker(tracking_uri())), BuiltIn(REPOSITORY)
    version = promotion.version_to_promote(registry, number, built_in)
    # A trial answers the cut that it was tried on, all others answer the whole of val.
    experiment = cut_to(experiment_on(load_experiment(config), source), version.trial)
    val = judging_val(experiment, home_folder(), REPOSITORY, threads)
    decision = promotion.decide(registry, version, val, experiment.gate, built_in, threads)
    click.echo(f"{as_table(decision)}\n")
    promotion.promote(registry, version, decision, reason=reason if force else None)
    click.echo(f"promoted: {version}")

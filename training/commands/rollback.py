"""``python -m training rollback``."""

# Imports stand inside the commands: torch and MLflow take seconds to import, and neither --help
# nor a misspelt option should wait for them.
# ruff: noqa: PLC0415
# A \b in a docstring is a real backspace: click's mark of lines that it must not rewrap.
# ruff: noqa: D301

import click


@click.command()
@click.option("--reason", default="", help="Why; recorded on the version that is taken back.")
def rollback(reason: str) -> None:
    """Put the former champion back.

    Called again it goes back one more promotion. Services that pull models fetch the champion
    again by themselves; a committed model stays until `export` is called.

    \b
    Example:
        python -m training rollback --reason "calls every beard angry"
    """
    from training.registry.promotion import roll_back
    from training.registry.tracking import Tracker, tracking_uri
    from training.registry.versions import Registry

    left, champion = roll_back(Registry(Tracker(tracking_uri())), reason)
    click.echo(f"champion: {champion}, in place of {left}")

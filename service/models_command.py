"""What ``rapt models`` does: pull the registry's champion, and list what is there."""

import os
from pathlib import Path

import click

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import ContractMismatch, RaptError
from service.lifeline import end_with_parent
from service.models.installed import InstalledModels, registry_version_in
from service.models.onnx import check_models, named_version
from service.models.pull import Pulled, pull
from service.models.registry import RegistryUnreachable, registry_uri
from service.models.repository import read_model, versions_of
from service.settings import BUILT_IN_MODELS, load_settings

_NICENESS = 5  # At 10, a pull beside a busy service took minutes.


def pull_champion(*, into: Path | None, as_json: bool) -> int:
    """Pull, and print what came of it.

    Args:
        into: the model repository to place it in, as its only version; None is RAPT_HOME's.
        as_json: print a JSON object, of a failure too.

    Returns:
        0, or 1 if it failed and that was printed as JSON.

    Raises:
        RaptError: it failed.
    """
    try:
        pulled = pull(registry_uri(), _installed(into))
    except RaptError as error:
        if not as_json:
            raise
        unreachable = isinstance(error, RegistryUnreachable)
        pulled = Pulled(outcome="unreachable" if unreachable else "refused", detail=error.message)
    click.echo(pulled.model_dump_json() if as_json else pulled.detail)
    return int(pulled.outcome in ("unreachable", "refused"))


def stay_in_the_background() -> None:
    """End with the process that started this one, and leave the processor to others."""
    end_with_parent()
    os.nice(_NICENESS)


def list_models() -> None:
    """Print a line for each version: which it is, where it lies, where it comes from."""
    settings = load_settings()
    for name in (DETECTOR_NAME, CLASSIFIER_NAME):
        served = _newest_in(settings.repository_of(name) / name)
        for repository in (settings.pulled_models, BUILT_IN_MODELS):
            for number in reversed(versions_of(repository / name)):
                folder = repository / name / str(number)
                mark = "*" if folder == served else " "
                click.echo(f"{mark} {_described(repository, name, number)}")
    click.echo("* is served.")


def describe_served() -> str:
    """Load both models, and say which are served and from where.

    Raises:
        ContractMismatch: one is not what this code was built for.
    """
    settings = load_settings()
    places = [settings.repository_of(name) for name in (DETECTOR_NAME, CLASSIFIER_NAME)]
    version = check_models(*places)
    where = " and ".join(dict.fromkeys(map(str, places)))
    return f"Models in {where} are right: {version.name} {version.version}."


def _installed(into: Path | None) -> InstalledModels:
    if into is not None:
        return InstalledModels(into, BUILT_IN_MODELS, keep=1)
    return InstalledModels(load_settings().pulled_models, BUILT_IN_MODELS)


def _newest_in(folder: Path) -> Path:
    return folder / str(versions_of(folder)[-1])


def _described(repository: Path, name: str, number: int) -> str:
    folder = repository / name / str(number)
    if repository == BUILT_IN_MODELS:
        origin = "built in"
    else:
        registry_version = registry_version_in(folder)
        origin = f"version {registry_version} of the registry" if registry_version else "put there"
    try:
        version = named_version(read_model(repository, name, number))
    except ContractMismatch as error:
        return f"{name} can't be used: {error.message} ({origin})"
    return f"{name} {version} in {folder} ({origin})"

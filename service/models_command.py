"""What ``rapt models`` does: pull the registry's champion, and list what is there."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import click

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.errors import ContractMismatch, ModelUnavailable, RaptError
from service.lifeline import end_with_parent
from service.models.installed import InstalledModels, registry_version_in
from service.models.onnx import load_classifier, named_version
from service.models.openvino import OpenVinoFaceNetwork
from service.models.pull import ChampionUnplaced, Outcome, Pulled, pull
from service.models.registry import (
    ChampionRefused,
    NoChampion,
    RegistryMisconfigured,
    RegistryUnreachable,
    registry_uri,
    server_address,
)
from service.models.repository import read_model
from service.models.served import Candidate, candidates, choose_classifier, choose_detector
from service.settings import BUILT_IN_MODELS, Settings, load_settings

_NICENESS = 5  # At 10, a pull beside a busy service took minutes.
_OUTCOMES: dict[type[RaptError], Outcome] = {
    RegistryMisconfigured: "misconfigured",
    RegistryUnreachable: "unreachable",
    NoChampion: "empty",
    ChampionRefused: "refused",
    ChampionUnplaced: "unplaced",
    ModelUnavailable: "unplaced",  # another pull is at work
}


def pull_champion(*, into: Path | None, as_json: bool) -> int:
    """Pull, and print what came of it.

    Args:
        into: the model repository to place it in, as its only version, and the built-in face
            detector where it has none; None is RAPT_HOME's.
        as_json: print a JSON object, of a failure too.

    Returns:
        0, or 1 if it failed and that was printed as JSON.

    Raises:
        RaptError: it failed.
    """
    try:
        pulled = pull(registry_uri(), _installed(into))
        if into is not None:
            _add_detector(into)
    except RaptError as error:
        if not as_json:
            raise
        pulled = _failed(error)
    click.echo(pulled.model_dump_json() if as_json else pulled.detail)
    return int(pulled.outcome not in ("pulled", "unchanged"))


def stay_in_the_background() -> None:
    """End with the process that started this one, and leave the processor to others."""
    end_with_parent()
    os.nice(_NICENESS)


def list_models() -> None:
    """Print a line for each version: which it is, where it lies, where it comes from."""
    settings = load_settings()
    served = _served(settings)
    for name in (DETECTOR_NAME, CLASSIFIER_NAME):
        for one in candidates(settings.model_repositories, name):
            mark = "*" if one in served else " "
            click.echo(f"{mark} {_described(one, settings.max_batch)}")
    click.echo("* is served.")


def describe_served() -> str:
    """Load both models; say which are served, from where, and what stands in the way of better.

    Raises:
        ContractMismatch: there is none that this code was built for.
    """
    settings = load_settings()
    detector = choose_detector(settings.model_repositories).repository
    OpenVinoFaceNetwork(detector)
    served = choose_classifier(settings.model_repositories, settings.max_batch)
    version = served.classifier.version
    where = " and ".join(dict.fromkeys(map(str, (detector, served.candidate.repository))))
    said = f"Models in {where} are right: {version.name} {version.version}."
    return "\n".join([said, *map(str, served.passed_over), *_registry_problem(settings)])


def _registry_problem(settings: Settings) -> list[str]:
    """Return a line where models would be pulled, were the registry's address one."""
    uri = registry_uri()
    if uri is None or settings.model_poll_seconds == 0:
        return []
    try:
        server_address(uri)
    except RegistryMisconfigured as error:
        return [f"Models are not pulled: {error.message}"]
    return []


def _failed(error: RaptError) -> Pulled:
    return Pulled(
        outcome=_OUTCOMES.get(type(error), "failed"),
        detail=error.message,
        registry_version=error.version
        if isinstance(error, ChampionRefused | ChampionUnplaced)
        else None,
    )


def describe_triton() -> str:
    """Say where the models are in the topology ``triton``; it may not be there yet."""
    return f"Models are asked of Triton at {load_settings().triton_address}."


def _add_detector(repository: Path) -> None:
    if (repository / DETECTOR_NAME).exists():
        return
    try:
        shutil.copytree(BUILT_IN_MODELS / DETECTOR_NAME, repository / DETECTOR_NAME)
    except OSError as error:
        raise ModelUnavailable(
            f"{repository}: the face detector can't be copied. {error}"
        ) from error


def _installed(into: Path | None) -> InstalledModels:
    if into is not None:
        return InstalledModels(into, BUILT_IN_MODELS, keep=1)
    return InstalledModels(load_settings().pulled_models, BUILT_IN_MODELS)


def _served(settings: Settings) -> list[Candidate]:
    """Return the versions that a service would start with; of a model without a good one, none."""
    repositories = settings.model_repositories
    served: list[Candidate] = []
    with suppress(ContractMismatch):
        detector = choose_detector(repositories)
        OpenVinoFaceNetwork(detector.repository)
        served.append(detector)
    with suppress(ContractMismatch):
        served.append(choose_classifier(repositories, settings.max_batch).candidate)
    return served


def _described(one: Candidate, max_batch: int) -> str:
    if one.repository == BUILT_IN_MODELS:
        origin = "built in"
    else:
        registry_version = registry_version_in(one.folder)
        origin = f"version {registry_version} of the registry" if registry_version else "put there"
    try:
        version = _version_of(one, max_batch)
    except ContractMismatch as error:
        return f"{one.name} in {one.folder} can't be used: {error.message} ({origin})"
    return f"{one.name} {version} in {one.folder} ({origin})"


def _version_of(one: Candidate, max_batch: int) -> str:
    if one.name == CLASSIFIER_NAME:
        return load_classifier(one.repository, one.number, max_batch).version.version
    return named_version(read_model(one.repository, one.name, one.number))

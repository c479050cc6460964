"""From the registry's champion to a file that is served."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from emotion.checksums import digest_of
from emotion.contract import CLASSIFIER_NAME
from emotion.errors import ContractMismatch, ModelError
from service.models.installed import InstalledModels
from service.models.onnx import OnnxClassifier
from service.models.registry import (
    VARIABLE,
    Champion,
    ChampionRefused,
    ModelRegistry,
    RegistryMisconfigured,
)
from service.models.repository import RepositoryModel, configured_as

Outcome = Literal[
    "pulled", "unchanged", "empty", "unreachable", "refused", "misconfigured", "unplaced", "failed"
]


class ChampionUnplaced(ModelError):
    """The champion can't be written to the models folder."""

    def __init__(self, message: str, version: str | None = None) -> None:
        """Add the champion's number in the registry, where it is known."""
        super().__init__(message)
        self.version = version


class Pulled(BaseModel):
    """What a pull came to."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    detail: str = Field(description="One line for people.")
    registry_version: str | None = Field(default=None, description="The champion's number there.")
    number: int | None = Field(default=None, description="The number of its folder here.")


def pull(uri: str | None, models: InstalledModels) -> Pulled:
    """Fetch the champion, check it, and place it, unless it is there already.

    Args:
        uri: of the registry.
        models: the repository to place it in.

    Raises:
        RegistryMisconfigured: there is no registry to ask.
        RegistryUnreachable: it does not answer.
        NoChampion: it has none.
        ChampionRefused: what it has may not be served.
        ChampionUnplaced: the disk is full, or not to be written to; what was there stays.
        ModelUnavailable: another pull is at work.
    """
    if uri is None:
        raise RegistryMisconfigured(
            f"There is no registry to pull from. Set {VARIABLE}, as in http://localhost:5000."
        )
    registry = ModelRegistry(uri)
    champion = registry.champion()
    try:
        with models.locked():
            newest = models.newest()
            if newest is not None and newest.digest == champion.digest:
                models.record(newest.number, champion.version)
                return _unchanged(newest, champion)
            with models.draft() as draft:
                content = registry.fetch(champion, draft)
            version = _checked(content, champion, models)
            withdrawn = registry.withdrawn(models.registry_versions)
            number = models.place(content, version, champion.version, withdrawn)
    except OSError as error:
        raise ChampionUnplaced(
            f"{error.filename or models.folder} can't be written: {error.strerror or error}. "
            "The models that are there stay.",
            champion.version,
        ) from error
    detail = (
        f"Pulled {CLASSIFIER_NAME} {version}, version {champion.version} of the registry, "
        f"to {models.folder / CLASSIFIER_NAME / str(number)}."
    )
    return Pulled(outcome="pulled", detail=detail, registry_version=champion.version, number=number)


def _unchanged(newest: RepositoryModel, champion: Champion) -> Pulled:
    return Pulled(
        outcome="unchanged",
        detail=f"The champion, version {champion.version} of the registry, is there already.",
        registry_version=champion.version,
        number=newest.number,
    )


def _checked(content: bytes, champion: Champion, models: InstalledModels) -> str:
    """Check a file before anybody can find it; return the version it says it is.

    Raises:
        ChampionRefused: it is not what was registered, or not what this code was built for.
    """
    digest = digest_of(content)
    if digest != champion.digest:
        raise ChampionRefused(
            f"Version {champion.version} of the registry is refused: its file's SHA-256 is "
            f"{digest[:12]}..., not {champion.digest[:12]}... as was recorded. Register it anew.",
            champion.version,
        )
    try:
        model = configured_as(models.built_in, CLASSIFIER_NAME, content)
        return OnnxClassifier(model).version.version
    except ContractMismatch as error:
        raise ChampionRefused(
            f"Version {champion.version} of the registry is refused: {error.message}",
            champion.version,
        ) from error

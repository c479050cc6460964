"""Every setting of the service: typed, documented, read once from the environment, frozen.

A field ``max_bytes`` is set by the variable ``RAPT_MAX_BYTES``.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict, SettingsError

from emotion.errors import InvalidRequest
from emotion.photo_set.archive import PhotoSetLimits
from service.data_folder import DEFAULT_HOME, DataFolder
from service.delivery_settings import DeliverySettings
from service.input_settings import InputSettings
from service.job_settings import JobSettings
from service.object_stores import check_endpoints
from service.photo_settings import MOST_PORT, PhotoSettings
from service.sources import Location

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

BUILT_IN_MODELS = Path(__file__).resolve().parents[1] / "model_repository"


class Settings(PhotoSettings, JobSettings, InputSettings, DeliverySettings):
    """The service's settings."""

    model_config = SettingsConfigDict(env_prefix="RAPT_", frozen=True, env_ignore_empty=True)

    home: Path = Field(
        default=DEFAULT_HOME,
        description="Folder for what the service keeps; a model that is in its models/ is "
        "served in place of the built-in one.",
    )
    model_poll_seconds: float = Field(
        default=60.0,
        ge=0.0,
        allow_inf_nan=False,
        description="A running service pulls the registry's champion this often, in seconds, "
        "where MLFLOW_TRACKING_URI is set; 0 is never, as in a cluster, where a new model is a "
        "rollout.",
    )
    grpc_host: str = Field(
        default="127.0.0.1",
        description="Numeric address that gRPC listens on; `rapt serve --host` sets it.",
    )
    grpc_port: int = Field(default=3001, ge=0, le=MOST_PORT, description="gRPC port; 0 is no gRPC.")

    @field_validator("home")
    @classmethod
    def _is_a_folder_or_not_there(cls, home: Path) -> Path:
        folders = ("", "models", "jobs")
        for path in (home.expanduser() / folder for folder in folders):
            if path.exists() and not path.is_dir():
                raise ValueError(f"{path} is not a folder")
        return home

    @property
    def photo_set_limits(self) -> PhotoSetLimits:
        """What a set of photos may be."""
        return PhotoSetLimits(self.max_set_bytes, self.max_set_photos, self.max_bytes)

    @property
    def pulled_models(self) -> Path:
        """The model repository that models are pulled into; it may not be there."""
        return self.home.expanduser() / "models"

    @property
    def model_repositories(self) -> tuple[Path, Path]:
        """Where each model is looked for, first to last."""
        return self.pulled_models, BUILT_IN_MODELS

    @property
    def data_folder(self) -> DataFolder:
        """Where videos are kept; it may not be there."""
        return DataFolder.of_home(self.home)

    @property
    def rows_url(self) -> str:
        """The database of all rows. It may have a password in it: not to be told."""
        return self.database_url.get_secret_value() or self.data_folder.database_url

    @property
    def workflows_url(self) -> str:
        """The database of DBOS; likewise."""
        return self.database_url.get_secret_value() or self.data_folder.workflows_url


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        InvalidRequest: a variable has a value that can't be used; says which and why.
    """
    check_endpoints()
    try:
        settings = Settings()
    except SettingsError as error:
        # Only they are read as JSON. Its text is of pydantic's inside.
        raise InvalidRequest("RAPT_KAFKA_OPTIONS: it is no JSON object.") from error
    except ValidationError as error:
        raise InvalidRequest("; ".join(map(_told, error.errors()))) from error
    _check_sources(settings)
    return settings


def _told(problem: "ErrorDetails") -> str:
    name, *within = map(str, problem["loc"])
    place = f" {'.'.join(within)}:" if within else ""
    # What a check of ours says is what we wrote, without a word of pydantic's before it.
    is_ours = problem["type"] == "value_error"
    return f"RAPT_{name.upper()}:{place} {problem['ctx']['error'] if is_ours else problem['msg']}"


def _check_sources(settings: Settings) -> None:
    """Refuse to let jobs read what other jobs are about."""
    if not settings.storage_url:
        return
    kept = Location.of(f"{settings.storage_url}/")
    for source in settings.allowed_sources:
        if source.is_below(kept) or kept.is_below(source):
            raise InvalidRequest(
                f"RAPT_SOURCES: {source} has what RAPT_STORAGE_URL keeps, uploads of all callers. "
                "Name another prefix."
            )

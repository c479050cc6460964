"""What things cost and how much of them is used, as `prices.toml` says."""

import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from training.recipe import Recipe

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PRICES = Path("benchmarks/prices.toml")

Amount = Annotated[float, Field(ge=0.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class PricesUnusable(Exception):
    """A price file can't be used; the text says why."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Prices(_Frozen):
    """What a unit costs, in the file's currency."""

    core_hour: Amount
    memory_gib_hour: Amount
    object_gib_month: Amount
    thousand_writes: Amount
    thousand_reads: Amount
    ingress_gib: Amount
    egress_gib: Amount


class PhotoUse(_Frozen):
    """What goes in and out with a photo."""

    mib: Amount
    answer_kib: Amount


class VideoUse(_Frozen):
    """What goes in and out with a video, and how long it is kept."""

    gib_an_hour: Amount
    minutes_a_video: Annotated[float, Field(gt=0.0)]
    upload_hours: Amount
    report_mib: Amount
    report_days: Amount
    reads_a_report: Amount


class PodUse(_Frozen):
    """How pods are cut, and how busy they are."""

    utilisation: Share
    memory_gib_a_core: Amount
    cores_a_front: Annotated[float, Field(gt=0.0)]
    rollout_minutes: Amount


class TrainingUse(_Frozen):
    """What a training takes, and how often there is one."""

    epoch_seconds: dict[int, Amount]
    cores: Amount
    prepare_core_seconds: Amount
    trials_a_study: int = Field(ge=0)
    pruned_share: Annotated[float, Field(ge=0.0, le=1.0)]
    data_gib: Amount
    model_mib: Amount
    versions_kept: int = Field(ge=0)
    trainings_a_year: int = Field(ge=0)
    studies_a_year: int = Field(ge=0)
    rollouts_a_year: int = Field(ge=0)

    @field_validator("epoch_seconds")
    @classmethod
    def _every_size_is_timed(cls, epochs: dict[int, float]) -> dict[int, float]:
        for stage in Recipe().stages:
            if stage.size not in epochs:
                raise ValueError(f"the default recipe has epochs of size {stage.size} too")
        return epochs


class PriceFile(_Frozen):
    """All of the file."""

    currency: str
    date: date
    source: str
    prices: Prices
    photos: PhotoUse
    videos: VideoUse
    pods: PodUse
    training: TrainingUse

    @property
    def core_hour(self) -> float:
        """An hour of a core that is paid for, with the memory that goes with it."""
        memory = self.pods.memory_gib_a_core * self.prices.memory_gib_hour
        return self.prices.core_hour + memory

    @property
    def busy_core_hour(self) -> float:
        """An hour of a core's work: cores that wait for peaks are paid for, too."""
        return self.core_hour / self.pods.utilisation


def read_prices(file: Path) -> PriceFile:
    """Read a price file.

    Raises:
        PricesUnusable: it is no TOML, or a figure is missing, misspelt or makes no sense.
    """
    try:
        return PriceFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        why = "; ".join(map(_told, error.errors()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        why = f"it is no TOML: {error}"
    raise PricesUnusable(f"{file} can't be used: {why}.")


def _told(problem: "ErrorDetails") -> str:
    # What a check of ours says is what we wrote, without a word of pydantic's before it.
    is_ours = problem["type"] == "value_error"
    why = problem["ctx"]["error"] if is_ours else problem["msg"]
    return f"{'.'.join(map(str, problem['loc']))}: {why}"

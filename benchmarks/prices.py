"""What things cost and how much of them is used, as `prices.toml` says."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PRICES = Path("benchmarks/prices.toml")

Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
        ValidationError: a figure is missing, misspelt or makes no sense.
    """
    return PriceFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))

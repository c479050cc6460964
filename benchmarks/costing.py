"""What photos, videos and models cost: the benchmarks' figures times the prices."""

import math
from dataclasses import dataclass

from benchmarks.prices import PriceFile
from emotion.reports.formats import FORMATS
from service.storage.objects import PART
from training.recipe import Recipe

MILLION = 1_000_000
THOUSAND = 1_000
_HOUR = 3600.0
_MONTH_HOURS, _MONTH_DAYS, _YEAR_MONTHS = 730.0, 730.0 / 24, 12
_GIB, _KIB_A_GIB, _MIB_A_GIB = 2**30, 2**20, 2**10
# Parts are told to begin and to be complete, and before they are read their object's size is asked.
_AROUND_WRITTEN, _AROUND_READ = 2, 1
# A pruned trial had so much of its epochs.
_BEFORE_PRUNING = 0.25


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs, in the price file's currency.

    Attributes:
        core_hours: of work.
        compute: what those cost, cores that wait included.
        storage: of objects, with the requests for them.
        transfer: from and to the internet.
    """

    core_hours: float
    compute: float
    storage: float
    transfer: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.compute + self.storage + self.transfer


def million_photos(milliseconds: float, file: PriceFile) -> Cost:
    """Return what a million photos cost, of so many CPU milliseconds each."""
    core_hours = MILLION * milliseconds / 1000 / _HOUR
    came = MILLION * file.photos.mib / _MIB_A_GIB
    went = MILLION * file.photos.answer_kib / _KIB_A_GIB
    transfer = came * file.prices.ingress_gib + went * file.prices.egress_gib
    return Cost(core_hours, core_hours * file.busy_core_hour, 0.0, transfer)


def thousand_video_hours(cpu_seconds: float, file: PriceFile) -> Cost:
    """Return what a thousand hours of video cost, of so many CPU seconds an hour of play time."""
    core_hours = THOUSAND * cpu_seconds / _HOUR
    use, prices = file.videos, file.prices
    videos = THOUSAND * 60 / use.minutes_a_video
    reports = videos * use.report_mib / _MIB_A_GIB
    kept = THOUSAND * use.gib_an_hour * use.upload_hours / _MONTH_HOURS
    kept += reports * use.report_days / _MONTH_DAYS
    # An upload comes in parts, and the worker reads it in parts, once; a report is written whole.
    parts = math.ceil(use.gib_an_hour * use.minutes_a_video / 60 * _GIB / PART)
    writes = videos * (parts + _AROUND_WRITTEN + len(FORMATS))
    reads = videos * (parts + _AROUND_READ + use.reads_a_report)
    requests = (writes * prices.thousand_writes + reads * prices.thousand_reads) / THOUSAND
    return Cost(
        core_hours,
        core_hours * file.busy_core_hour,
        kept * prices.object_gib_month + requests,
        THOUSAND * use.gib_an_hour * prices.ingress_gib
        + reports * use.reads_a_report * prices.egress_gib,
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """Fronts that always run.

    Attributes:
        replicas: how many.
        month: what they cost a month.
        photos: that they answer a month at most, at the price file's utilisation.
    """

    replicas: int
    month: float
    photos: float


def fleet(replicas: int, milliseconds: float, file: PriceFile) -> Fleet:
    """Return fronts that always run, where a photo takes so many CPU milliseconds."""
    core_hours = replicas * file.pods.cores_a_front * _MONTH_HOURS
    photos = core_hours * file.pods.utilisation * _HOUR * 1000 / milliseconds
    return Fleet(replicas, core_hours * file.core_hour, photos)


def training_hours(file: PriceFile) -> float:
    """Return core hours of one training by the default recipe, and of preparing its data."""
    use = file.training
    seconds = sum(stage.epochs * use.epoch_seconds[stage.size] for stage in Recipe().stages)
    return (seconds * use.cores + use.prepare_core_seconds) / _HOUR


def study_hours(file: PriceFile) -> float:
    """Return core hours of one study: its trials, of which some are given up early."""
    use = file.training
    whole = use.trials_a_study * (1 - use.pruned_share * (1 - _BEFORE_PRUNING))
    return whole * (training_hours(file) - use.prepare_core_seconds / _HOUR)


def year_of_models(replicas: int, file: PriceFile) -> dict[str, float]:
    """Return what a year of models costs, by what it is for.

    Training keeps its cores busy and ends: nothing waits for peaks, so utilisation is left out.
    """
    use = file.training
    kept = use.data_gib + use.versions_kept * use.model_mib / _MIB_A_GIB
    rollout = replicas * file.pods.cores_a_front * file.pods.rollout_minutes / 60
    return {
        "trainings": use.trainings_a_year * training_hours(file) * file.core_hour,
        "studies": use.studies_a_year * study_hours(file) * file.core_hour,
        "keeping data and models": kept * _YEAR_MONTHS * file.prices.object_gib_month,
        "rollouts": use.rollouts_a_year * rollout * file.core_hour,
    }

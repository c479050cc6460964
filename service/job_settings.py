"""Settings of jobs: what is taken in, how it is worked on, and how long it is kept."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from emotion.video.settings import VideoLimits, VideoSettings
from service.storage.address import BucketAddress

_POSTGRES = ("postgresql://", "postgres://")


class JobSettings(BaseSettings):
    """Limits of jobs, and how they are worked on."""

    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL for the rows of jobs, postgresql://USER:PASSWORD@HOST/DATABASE; "
        "PGPASSWORD may have the password. Empty: SQLite in the data folder.",
    )
    storage_url: str = Field(
        default="",
        description="Bucket for uploads and reports: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or "
        "az://CONTAINER/PREFIX, with credentials from the environment alone (AWS_*, GOOGLE_*, "
        "AZURE_*). Empty: the data folder.",
    )
    max_video_bytes: int = Field(
        default=VideoLimits().max_bytes, ge=1, description="Largest video, in bytes."
    )
    max_video_seconds: float = Field(
        default=VideoLimits().max_seconds,
        gt=0.0,
        allow_inf_nan=False,
        description="Longest video, in seconds; a longer one is refused before it is worked on.",
    )
    segment_seconds: float = Field(
        default=VideoSettings().segment_seconds,
        ge=1.0,
        le=600.0,
        description="A video is worked through in pieces of so many seconds; at most the piece in "
        "work is lost with a worker.",
    )
    max_jobs: int = Field(
        default=100,
        ge=1,
        description="Jobs of all fronts that arrive, wait or are worked on at once; more are "
        "answered 503 with Retry-After.",
    )
    max_uploads: int = Field(
        default=8,
        ge=1,
        description="Uploads that arrive at a front at once; more are answered 503.",
    )
    upload_seconds: float = Field(
        default=3600.0,
        gt=0.0,
        allow_inf_nan=False,
        description="An upload that has not arrived by then is given up, and what came is deleted.",
    )
    upload_idle_seconds: float = Field(
        default=60.0,
        gt=0.0,
        allow_inf_nan=False,
        description="An upload of which nothing came for so long is given up likewise.",
    )
    min_free_bytes: int = Field(
        default=2**30,
        ge=0,
        description="No upload is taken in where it would leave less room than this on the disk.",
    )
    max_event_streams: int = Field(
        default=64,
        ge=1,
        description="Callers that follow a job's progress at once, a process of the front.",
    )
    keep_sources: bool = Field(
        default=False,
        description="Keep uploads after the report stands; else they are deleted then.",
    )
    report_days: float = Field(
        default=30.0,
        ge=0.0,
        allow_inf_nan=False,
        description="A job that ended so many days ago is erased with its report; 0 is never.",
    )
    executor_id: str = Field(
        default="",
        max_length=255,
        pattern=r"^[A-Za-z0-9._-]*$",
        description="A worker's name, which no other may have at the same time; a worker takes up "
        "at once what one of its name left. Empty: the first of worker-1, worker-2, ... that is "
        "free on this machine; with RAPT_DATABASE_URL, the host's name stands for worker.",
    )
    job_tries: int = Field(
        default=8,
        ge=1,
        description="A job that was begun so many times without a segment done, since its worker "
        "was killed or met an error of ours each time, has failed.",
    )
    tenant_jobs: int = Field(
        default=0,
        ge=0,
        description="Jobs of one tenant that workers are given at once; 0 is no bound.",
    )
    worker_stale_seconds: float = Field(
        default=15.0,
        ge=0.5,
        allow_inf_nan=False,
        description="A worker that has said nothing for so long is taken for dead, and others take "
        "up its jobs.",
    )
    storage_tries: int = Field(
        default=6,
        ge=1,
        description="Tries of a worker where the storage fails, each after twice the wait of the "
        "one before, from a second on; then the job has failed.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_of_postgres(cls, url: SecretStr) -> SecretStr:
        # What libraries say of a URL may have a part of the password in it: it isn't told.
        if url and not _names_a_database(url.get_secret_value()):
            raise ValueError(
                "give postgresql://USER:PASSWORD@HOST/DATABASE; in the password %40 stands for @, "
                "%2F for /, %3A for :, %3F for ? and %23 for #"
            )
        return url

    @field_validator("storage_url")
    @classmethod
    def _is_a_bucket(cls, url: str) -> str:
        return str(BucketAddress.parse(url)) if url else ""

    @property
    def bucket(self) -> BucketAddress | None:
        """Where objects lie, if not in the data folder."""
        return BucketAddress.parse(self.storage_url) if self.storage_url else None

    @property
    def video_limits(self) -> VideoLimits:
        """What a video may be."""
        return VideoLimits(max_bytes=self.max_video_bytes, max_seconds=self.max_video_seconds)


def _names_a_database(url: str) -> bool:
    # Imported late: only who has one needs it.
    from sqlalchemy import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parts = urlsplit(url)
        # Whoever reads a URL in another way than we do takes a part of the password for the host.
        is_plain = parts.netloc.count("@") <= 1 and "@" not in parts.path and not parts.fragment
        has_name = bool(parts.path.strip("/") and make_url(url).database)
        return url.startswith(_POSTGRES) and is_plain and has_name
    except (ArgumentError, ValueError):
        return False

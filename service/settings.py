"""Every setting of the service: typed, documented, read once from the environment, frozen.

A field ``max_bytes`` is set by the variable ``RAPT_MAX_BYTES``.
"""

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from emotion.detection import DetectionSettings
from emotion.errors import InvalidRequest
from emotion.image import ImageLimits
from emotion.video.settings import VideoLimits, VideoSettings
from service.data_folder import DEFAULT_HOME, DataFolder

# A host, or an IPv6 address in brackets, before the port; no scheme, no path.
_ADDRESS = re.compile(r"([^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
# Bytes of names, shapes and lengths that a message may have beside its photos; one of 16 has 200.
MOST_FRAMING = 64 * 1024
_MOST_MESSAGE = 2**31 - 1  # Bytes; gRPC keeps its limit as a signed number of 32 bits.
_MOST_PORT = 65535
BUILT_IN_MODELS = Path(__file__).resolve().parents[1] / "model_repository"


class Settings(BaseSettings):
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
    max_bytes: int = Field(
        default=ImageLimits().max_bytes, ge=1, description="Largest photo, in bytes."
    )
    max_pixels: int = Field(
        default=ImageLimits().max_pixels,
        ge=1,
        le=178_000_000,  # Pillow refuses more, whatever is set.
        description="Largest photo, in pixels.",
    )
    max_photos: int = Field(
        default=16, ge=1, le=256, description="Most photos in one batch request."
    )
    detection_side: int = Field(
        default=DetectionSettings().side,
        ge=64,
        le=4096,
        description="Longest side in pixels at which faces are looked for. Larger finds "
        "smaller faces, and costs with its square.",
    )
    min_score: float = Field(
        default=DetectionSettings().min_score, ge=0.05, le=1.0, description="Least face score."
    )
    max_in_flight: int = Field(
        default=64,
        ge=1,
        description="Requests in work or waiting at once; more are answered 503 with Retry-After.",
    )
    max_bytes_in_flight: int = Field(
        default=512 * 2**20, ge=1, description="Bytes of all request bodies held at once."
    )
    max_batch_bytes: int = Field(
        default=64 * 2**20,
        ge=1,
        le=_MOST_MESSAGE - MOST_FRAMING,
        description="Largest batch request, in bytes.",
    )
    deadline_seconds: float = Field(
        default=30.0,
        gt=0.0,
        allow_inf_nan=False,
        description="A request not answered by then is answered 504.",
    )
    max_batch: int = Field(
        default=32, ge=1, description="Most crops judged at once; config.pbtxt may say less."
    )
    detector_processes: int = Field(
        default=1,
        ge=1,
        description="Processes of the face detector in the runners topology, a core each.",
    )
    detector_precision: Literal["auto", "f32"] = Field(
        default="auto",
        description="Arithmetic of the face detector's network where it runs in our processes: "
        "auto is bf16 on processors that have it, f32 on others; f32 gives equal answers on all "
        "machines, and takes twice the time.",
    )
    threads: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        description="Photos worked on at once in the inline topology; decoded at once in triton. "
        "The default is the cores this process may use; where a container's quota is lower, set "
        "it.",
    )
    triton_address: str = Field(
        default="localhost:8001",
        description="Where the triton topology finds Triton's gRPC endpoint, HOST:PORT.",
    )
    triton_photos: int = Field(
        default=16,
        ge=1,
        description="Photos that a front of the triton topology has decoded and in work at once.",
    )

    grpc_host: str = Field(
        default="127.0.0.1",
        description="Numeric address that gRPC listens on; `rapt serve --host` sets it.",
    )
    grpc_port: int = Field(
        default=3001, ge=0, le=_MOST_PORT, description="gRPC port; 0 is no gRPC."
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
        description="Videos that arrive, wait or are worked on at once; more are answered 503 with "
        "Retry-After.",
    )
    max_uploads: int = Field(
        default=8, ge=1, description="Videos that arrive at once; more are answered 503."
    )
    upload_seconds: float = Field(
        default=3600.0,
        gt=0.0,
        allow_inf_nan=False,
        description="A video that has not arrived by then is given up, and what came is deleted.",
    )
    min_free_bytes: int = Field(
        default=2**30,
        ge=0,
        description="No video is taken in where it would leave less room than this on the disk.",
    )
    max_event_streams: int = Field(
        default=64,
        ge=1,
        description="Callers that follow a video's progress at once, a process of the front.",
    )
    keep_sources: bool = Field(
        default=False,
        description="Keep uploads after the report stands; else they are deleted then.",
    )
    report_days: float = Field(
        default=30.0,
        ge=0.0,
        allow_inf_nan=False,
        description="A video that ended so many days ago is erased with its report; 0 is never.",
    )
    executor_id: str = Field(
        default="",
        max_length=255,
        pattern=r"^[A-Za-z0-9._-]*$",
        description="A worker's name, which no other may have at the same time; a worker takes up "
        "at once what one of its name left. Empty: the first of worker-1, worker-2, ... that is "
        "free on this machine.",
    )
    worker_stale_seconds: float = Field(
        default=15.0,
        ge=0.5,
        allow_inf_nan=False,
        description="A worker that has said nothing for so long is taken for dead, and others take "
        "up its videos.",
    )
    storage_tries: int = Field(
        default=6,
        ge=1,
        description="Tries of a worker where the storage fails, each after twice the wait of the "
        "one before, from a second on; then the video has failed.",
    )

    @field_validator("home")
    @classmethod
    def _is_a_folder_or_not_there(cls, home: Path) -> Path:
        folders = ("", "models", "jobs")
        for path in (home.expanduser() / folder for folder in folders):
            if path.exists() and not path.is_dir():
                raise ValueError(f"{path} is not a folder")
        return home

    @field_validator("triton_address")
    @classmethod
    def _is_host_and_port(cls, address: str) -> str:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is not HOST:PORT, as in localhost:8001")
        if not 1 <= int(address.rpartition(":")[2]) <= _MOST_PORT:
            raise ValueError(f"{address!r} has no port from 1 to {_MOST_PORT}")
        return address

    @field_validator("max_bytes_in_flight")
    @classmethod
    def _holds_a_photo(cls, max_bytes_in_flight: int, info: ValidationInfo) -> int:
        if max_bytes_in_flight < info.data.get("max_bytes", 0):
            raise ValueError("is less than RAPT_MAX_BYTES, so the largest photo would never fit")
        return max_bytes_in_flight

    @field_validator("max_batch_bytes")
    @classmethod
    def _fits_into_what_is_held(cls, max_batch_bytes: int, info: ValidationInfo) -> int:
        if max_batch_bytes > info.data.get("max_bytes_in_flight", max_batch_bytes):
            raise ValueError(
                "is more than RAPT_MAX_BYTES_IN_FLIGHT, so the largest batch would never fit"
            )
        return max_batch_bytes

    @property
    def max_waiting_photos(self) -> int:
        """Photos that may wait for the detector: all that can be in flight."""
        return self.max_in_flight * self.max_photos

    @property
    def max_waiting_crops(self) -> int:
        """Faces that may wait for the classifier; a crowd of thousands fits."""
        return max(10_000, 100 * self.max_in_flight)

    @property
    def max_message_bytes(self) -> int:
        """Largest message of the Open Inference Protocol: a batch, and what describes it."""
        return self.max_batch_bytes + MOST_FRAMING

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
    def video_limits(self) -> VideoLimits:
        """What a video may be."""
        return VideoLimits(max_bytes=self.max_video_bytes, max_seconds=self.max_video_seconds)

    @property
    def limits(self) -> ImageLimits:
        """What a photo may be."""
        return ImageLimits(self.max_bytes, self.max_pixels)

    @property
    def detection(self) -> DetectionSettings:
        """How hard faces are looked for."""
        return DetectionSettings(side=self.detection_side, min_score=self.min_score)


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        InvalidRequest: a variable has a value that can't be used; says which and why.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            f"RAPT_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()
        ]
        raise InvalidRequest("; ".join(problems)) from error

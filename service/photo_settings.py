"""Settings of what answers photos."""

import os
import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from emotion.detection import DetectionSettings
from emotion.image import ImageLimits

# A host, or an IPv6 address in brackets, before the port; no scheme, no path.
_ADDRESS = re.compile(r"([^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
# Bytes of names, shapes and lengths that a message may have beside its photos; one of 16 has 200.
MOST_FRAMING = 64 * 1024
MOST_PORT = 65535
_MOST_MESSAGE = 2**31 - 1  # Bytes; gRPC keeps its limit as a signed number of 32 bits.


class PhotoSettings(BaseSettings):
    """Limits of photos, and how they are looked at."""

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
        description="Requests of a front in work or waiting at once; more are answered 503 with "
        "Retry-After.",
    )
    max_bytes_in_flight: int = Field(
        default=512 * 2**20,
        ge=1,
        description="Bytes of all request bodies that a front holds at once.",
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

    @field_validator("triton_address")
    @classmethod
    def _is_host_and_port(cls, address: str) -> str:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is not HOST:PORT, as in localhost:8001")
        if not 1 <= int(address.rpartition(":")[2]) <= MOST_PORT:
            raise ValueError(f"{address!r} has no port from 1 to {MOST_PORT}")
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
    def limits(self) -> ImageLimits:
        """What a photo may be."""
        return ImageLimits(self.max_bytes, self.max_pixels)

    @property
    def detection(self) -> DetectionSettings:
        """How hard faces are looked for."""
        return DetectionSettings(side=self.detection_side, min_score=self.min_score)

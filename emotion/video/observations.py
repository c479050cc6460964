"""What is seen in one segment of a video, and the bytes it is kept as."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

from emotion.errors import ContractMismatch
from emotion.face_rows import face_of, row_of
from emotion.faces import Face, ModelVersion
from emotion.labels import EMOTIONS

TIME_DIGITS = 3
# Changes with the form or the meaning of the bytes.
_FORM = 1
_COMPRESSION = 6


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """One frame that was looked at.

    Attributes:
        time: seconds, to the millisecond.
        faces: largest first, rounded as they are kept.
    """

    time: float
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """What one segment shows.

    Attributes:
        index: of the segment.
        width: of an upright frame with square pixels: the last one that was looked at; 0 if none.
        height: likewise.
        frames: in order of time, which strictly grows.
        cuts: times at which a new shot begins, in order.
        skipped: packets and frames of this segment that were damaged or out of order.
        model: who judged the faces; that one alone.
    """

    index: int
    width: int
    height: int
    frames: tuple[SampledFrame, ...]
    cuts: tuple[float, ...]
    skipped: int
    model: ModelVersion


def encode_segment(result: SegmentResult) -> bytes:
    """Return a segment's result as bytes: equal results have equal bytes."""
    content = {
        "form": _FORM,
        "index": result.index,
        "size": [result.width, result.height],
        "frames": [[frame.time, [row_of(face) for face in frame.faces]] for frame in result.frames],
        "cuts": result.cuts,
        "skipped": result.skipped,
        "model": [result.model.name, result.model.version],
        "labels": EMOTIONS,
    }
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), _COMPRESSION)


def decode_segment(data: bytes) -> SegmentResult:
    """Return what ``encode_segment`` was given.

    Raises:
        ContractMismatch: the bytes are of another form, or of other labels.
    """
    content: dict[str, Any] = json.loads(zlib.decompress(data))
    if (content.get("form"), content.get("labels")) != (_FORM, list(EMOTIONS)):
        raise ContractMismatch(
            "A segment of this video was kept by another version of Rapt. Send the video again."
        )
    width, height = content["size"]
    name, version = content["model"]
    frames = tuple(
        SampledFrame(time, tuple(face_of(row) for row in faces))
        for time, faces in content["frames"]
    )
    return SegmentResult(
        index=content["index"],
        width=width,
        height=height,
        frames=frames,
        cuts=tuple(content["cuts"]),
        skipped=content["skipped"],
        model=ModelVersion(name, version),
    )

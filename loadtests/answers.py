"""What a right answer is: all that it says counts, for a status of 200 promises nothing."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from google.protobuf.message import DecodeError
from pydantic import TypeAdapter, ValidationError
from tritonclient.grpc import service_pb2

from loadtests.payloads import BATCH_PHOTOS


@dataclass(frozen=True, slots=True)
class _Faces:
    faces: list[Any]


@dataclass(frozen=True, slots=True)
class _Batch:
    results: list[_Faces]


_Ended = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class _Job:
    state: Literal["receiving", "queued", "running"] | _Ended


ENDED: tuple[str, ...] = get_args(_Ended)
_FACES, _BATCH, _JOB = TypeAdapter(_Faces), TypeAdapter(_Batch), TypeAdapter(_Job)


def is_one_face(content: bytes) -> bool:
    """Whether a photo's answer tells of the one face that it shows."""
    try:
        return len(_FACES.validate_json(content).faces) == 1
    except ValidationError:
        return False


def is_batch_of_one_face_each(content: bytes) -> bool:
    """Whether a batch's answer tells of one face a photo."""
    try:
        results = _BATCH.validate_json(content).results
    except ValidationError:
        return False
    return [len(one.faces) for one in results] == [1] * BATCH_PHOTOS


def is_report_of_faces(content: bytes) -> bool:
    """Whether a report tells of faces, of which the clip has some."""
    try:
        return bool(_FACES.validate_json(content).faces)
    except ValidationError:
        return False


def state_of(content: bytes) -> str | None:
    """Return the state that a job's answer tells; None if it tells none that there is."""
    try:
        return _JOB.validate_json(content).state
    except ValidationError:
        return None


def is_inference_of_one_face(message: bytes) -> bool:
    """Whether a ModelInferResponse has one row in each of its outputs, and outputs at all."""
    try:
        outputs = service_pb2.ModelInferResponse.FromString(message).outputs
    except DecodeError:
        return False
    return {tuple(output.shape[:1]) for output in outputs} == {(1,)}

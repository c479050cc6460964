"""What single photos came to, and the bytes that is kept as."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotion.errors import ContractMismatch
from emotion.face_rows import face_of, row_of
from emotion.faces import Face, ModelVersion
from emotion.labels import EMOTIONS

# Changes with the form or the meaning of the bytes.
_FORM = 1
_COMPRESSION = 6


@dataclass(frozen=True, slots=True)
class PhotoError:
    """Why a photo could not be used.

    Attributes:
        kind: the error's name, as in ``image-too-large``.
        message: in a sentence.
    """

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class PhotoFaces:
    """What a photo shows.

    Attributes:
        width: of the upright photo, in pixels.
        height: likewise.
        faces: the largest first, rounded as they are kept.
    """

    width: int
    height: int
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """What one photo of a set came to.

    Attributes:
        name: in the set; to be shown only.
        outcome: what it shows, or why it could not be used.
    """

    name: str
    outcome: PhotoFaces | PhotoError


def encode_results(results: Sequence[PhotoResult], model: ModelVersion) -> bytes:
    """Return results as bytes: equal ones have equal bytes."""
    content = {
        "form": _FORM,
        "photos": [_encoded(result) for result in results],
        "model": [model.name, model.version],
        "labels": EMOTIONS,
    }
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), _COMPRESSION)


def decode_results(data: bytes, model: ModelVersion) -> list[PhotoResult]:
    """Return what ``encode_results`` was given.

    Args:
        data: the bytes.
        model: that has to have judged the faces.

    Raises:
        ContractMismatch: another did, or the bytes are of another form, or of other labels.
    """
    content: dict[str, Any] = json.loads(zlib.decompress(data))
    known = [content.get(name) for name in ("form", "labels", "model")]
    if known != [_FORM, list(EMOTIONS), [model.name, model.version]]:
        raise ContractMismatch(
            "A part of this set was kept by another version of Rapt. Send the set again."
        )
    return [_decoded(row) for row in content["photos"]]


def _encoded(result: PhotoResult) -> list[object]:
    outcome = result.outcome
    if isinstance(outcome, PhotoError):
        return [result.name, outcome.kind, outcome.message]
    return [result.name, outcome.width, outcome.height, [row_of(face) for face in outcome.faces]]


def _decoded(row: list[Any]) -> PhotoResult:
    match row:
        case [name, width, height, faces]:
            return PhotoResult(name, PhotoFaces(width, height, tuple(map(face_of, faces))))
        case [name, kind, message]:
            return PhotoResult(name, PhotoError(kind, message))
    raise ContractMismatch("A part of this set was kept in a form that is not known.")

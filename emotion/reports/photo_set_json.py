"""The report of a set of photos as JSON: all of them together, then each.

Places are pixels of the upright photo; shares, scores and confidence are 0 to 1.
"""

import json
from datetime import datetime

from emotion.faces import Face
from emotion.labels import EMOTIONS
from emotion.photo_set.report import PhotoSetReport
from emotion.photo_set.results import PhotoError, PhotoResult
from emotion.reports.wording import PHOTO_LIMITS

# Changes when a field changes its meaning or goes away.
FORM = 1
_DIGITS = 4


def photo_set_json(report: PhotoSetReport, title: str, created_at: datetime | None) -> bytes:
    """Write a report; see the module."""
    confidence = report.confidence
    content = {
        "form": FORM,
        "title": title,
        "created_at": created_at.isoformat(timespec="seconds") if created_at else None,
        "model": {"name": report.model.name, "version": report.model.version},
        "detector": report.detector,
        "summary": {
            "photos": len(report.photos),
            "photos_with_faces": report.with_faces,
            "photos_failed": len(report.failed),
            "faces": report.faces,
            "emotions": _emotions(report.shares),
            "confidence": confidence
            and {
                "minimum": round(confidence.minimum, _DIGITS),
                "average": round(confidence.average, _DIGITS),
                "median": round(confidence.median, _DIGITS),
            },
        },
        "limits": PHOTO_LIMITS,
        "photos": [_photo(photo) for photo in report.photos],
    }
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _photo(photo: PhotoResult) -> dict[str, object]:
    outcome = photo.outcome
    if isinstance(outcome, PhotoError):
        return {"name": photo.name, "error": {"kind": outcome.kind, "detail": outcome.message}}
    return {
        "name": photo.name,
        "image": {"width": outcome.width, "height": outcome.height},
        "faces": [_face(face) for face in outcome.faces],
    }


def _face(face: Face) -> dict[str, object]:
    box = face.detection.box
    return {
        "box": {"x": box.x, "y": box.y, "width": box.width, "height": box.height},
        "score": round(face.detection.score, _DIGITS),
        "emotion": face.emotion,
        "confidence": round(face.confidence, _DIGITS),
        "probabilities": _emotions(face.probabilities),
    }


def _emotions(shares: tuple[float, ...]) -> dict[str, float]:
    return {emotion: round(share, _DIGITS) for emotion, share in zip(EMOTIONS, shares, strict=True)}

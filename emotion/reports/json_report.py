"""A report as JSON.

    timeline      [[time, [[face's id, emotion], ...]], ...], a row a sampled frame
    video         what it is; ``spacing``: seconds between sampled frames, usual and longest
    audience      all faces together: emotions as shares of all looks at faces, each counted alike
    faces         each of them, in the order in which they appear

Times are seconds from the video's beginning; shares, confidence and engagement are 0 to 1.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from emotion.labels import EMOTIONS
from emotion.reports.wording import LIMITS
from emotion.video.engagement import Engagement
from emotion.video.report import Confidence, FaceReport, Report
from emotion.video.spacing import spacing_of
from emotion.video.timeline import SMOOTHING_SECONDS

# Changes when a field changes its meaning or goes away.
FORM = 1
_DIGITS = 4


def as_json(report: Report, title: str, created_at: datetime | None) -> bytes:
    """Write a report; see the module."""
    content = {
        "form": FORM,
        "title": title,
        "created_at": created_at.isoformat(timespec="seconds") if created_at else None,
        "video": _video(report),
        "settings": {
            "interval": report.settings.interval,
            "min_score": report.settings.min_score,
            "smoothing_seconds": SMOOTHING_SECONDS,
        },
        "model": {"name": report.model.name, "version": report.model.version},
        "detector": report.detector,
        "audience": _audience(report),
        "faces": [_face(face) for face in report.faces],
        "key_moments": [
            {"time": moment.time, "kind": moment.kind, "text": moment.text}
            for moment in report.key_moments
        ],
        "limits": LIMITS,
        "timeline": _timeline(report),
    }
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _video(report: Report) -> dict[str, object]:
    info = report.info
    times = [moment.time for moment in report.audience.moments]
    spacing = spacing_of(times, report.settings.interval, info.duration)
    return {
        "container": info.container,
        "codec": info.codec,
        "width": info.width,
        "height": info.height,
        "duration": info.duration,
        "frame_rate": info.frame_rate and round(info.frame_rate, 3),
        "sampled_frames": len(times),
        "spacing": {"usual": spacing.usual, "longest": spacing.longest},
        "skipped": report.skipped,
        "cuts": report.cuts,
    }


def _audience(report: Report) -> dict[str, object]:
    audience = report.audience
    return {
        "faces": len(report.faces),
        "most_at_once": audience.most_at_once,
        "frames_with_faces": sum(moment.faces > 0 for moment in audience.moments),
        "emotions": _emotions(audience.shares),
        "confidence": audience.confidence and _confidence(audience.confidence),
        "engagement": audience.engagement and _engagement(audience.engagement),
    }


def _face(face: FaceReport) -> dict[str, object]:
    return {
        "id": face.id,
        "first_seen": face.first_seen,
        "last_seen": face.last_seen,
        "frames": len(face.moments),
        "emotion": face.emotion,
        "emotions": _emotions(face.shares),
        "confidence": _confidence(face.confidence),
        "engagement": _engagement(face.engagement),
    }


def _emotions(shares: Sequence[float]) -> dict[str, float]:
    return {emotion: round(share, _DIGITS) for emotion, share in zip(EMOTIONS, shares, strict=True)}


def _confidence(confidence: Confidence) -> dict[str, float]:
    return {
        "minimum": round(confidence.minimum, _DIGITS),
        "average": round(confidence.average, _DIGITS),
        "median": round(confidence.median, _DIGITS),
    }


def _engagement(engagement: Engagement) -> dict[str, float]:
    return {
        "facing": round(engagement.facing, _DIGITS),
        "expressive": round(engagement.expressive, _DIGITS),
        "index": round(engagement.index, _DIGITS),
    }


def _timeline(report: Report) -> list[list[object]]:
    told: defaultdict[float, list[list[str]]] = defaultdict(list)
    for face in report.faces:
        for moment in face.moments:
            told[moment.time].append([face.id, moment.emotion])
    return [[moment.time, told[moment.time]] for moment in report.audience.moments]

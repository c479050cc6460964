"""The report of a set of photos as one HTML page: ``photo_set.html`` beside this module.

It sums up, and shows no photo: names and figures are all that is kept of them.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from emotion.labels import EMOTIONS, Emotion
from emotion.photo_set.report import PhotoSetReport
from emotion.photo_set.results import PhotoFaces
from emotion.reports.pages import template
from emotion.reports.wording import PHOTO_LIMITS

# A page stays readable, and opens fast; the other forms have all photos.
_MOST_PHOTOS, _MOST_FAILED = 200, 100


@dataclass(frozen=True, slots=True)
class _Row:
    """A photo with faces, and how many of them show what, the most frequent first."""

    name: str
    faces: int
    told: list[tuple[Emotion, int]]


def photo_set_html(report: PhotoSetReport, title: str, created_at: datetime | None) -> bytes:
    """Write a report for people."""
    rows = [
        _Row(one.name, len(one.outcome.faces), _told(one.outcome))
        for one in report.photos
        if isinstance(one.outcome, PhotoFaces) and one.outcome.faces
    ]
    pairs = zip(EMOTIONS, report.shares, strict=True)
    text = template("photo_set.html").render(
        report=report,
        title=title or "Photos",
        created_at=created_at,
        shares=sorted(((one, share) for one, share in pairs if share), key=lambda pair: -pair[1]),
        rows=rows[:_MOST_PHOTOS],
        left_out=max(0, len(rows) - _MOST_PHOTOS),
        failed=report.failed[:_MOST_FAILED],
        limits=PHOTO_LIMITS,
    )
    return text.encode()


def _told(photo: PhotoFaces) -> list[tuple[Emotion, int]]:
    return Counter(face.emotion for face in photo.faces).most_common()

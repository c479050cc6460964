"""The report of a set of photos as CSV: a row a face, and one for each photo without any."""

import csv
from collections.abc import Iterator
from io import StringIO

from emotion.faces import Face
from emotion.labels import EMOTIONS
from emotion.photo_set.report import PhotoSetReport
from emotion.photo_set.results import PhotoError, PhotoResult

COLUMNS = (
    "photo", "error", "face", "emotion", "confidence", *EMOTIONS, "x", "y", "width", "height",
)  # fmt: skip
_DIGITS = 4
# Spreadsheets take what begins so for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def photo_set_csv(report: PhotoSetReport) -> bytes:
    """Write a report (RFC 4180, UTF-8): places in pixels, shares 0 to 1, faces from 1.

    A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for photo in report.photos:
        writer.writerows(_rows(photo))
    return text.getvalue().encode()


def _rows(photo: PhotoResult) -> Iterator[list[object]]:
    name = f"'{photo.name}" if photo.name.startswith(_FORMULA) else photo.name
    if isinstance(photo.outcome, PhotoError):
        yield _padded(name, photo.outcome.kind)
        return
    if not photo.outcome.faces:
        yield _padded(name)
    for number, face in enumerate(photo.outcome.faces, start=1):
        yield [name, "", number, *_of_face(face)]


def _padded(*values: object) -> list[object]:
    return [*values, *[""] * (len(COLUMNS) - len(values))]


def _of_face(face: Face) -> list[object]:
    box = face.detection.box
    shares = (round(share, _DIGITS) for share in face.probabilities)
    return [
        face.emotion,
        round(face.confidence, _DIGITS),
        *shares,
        box.x,
        box.y,
        box.width,
        box.height,
    ]

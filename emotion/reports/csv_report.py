"""A report as CSV: a row a time and face, in the order of time, then of the faces' appearance."""

import csv
from io import StringIO

from emotion.labels import EMOTIONS
from emotion.video.report import FaceMoment, FaceReport, Report

COLUMNS = (
    "time", "face_id", "emotion", "confidence", "facing", *EMOTIONS, "x", "y", "width", "height",
)  # fmt: skip
_DIGITS = 4


def as_csv(report: Report) -> bytes:
    """Write a report (RFC 4180, UTF-8): times in seconds, places in pixels, shares 0 to 1.

    The columns of the emotions are their probabilities, smoothed over time.
    """
    rows = [
        (moment.time, number, _row(face, moment))
        for number, face in enumerate(report.faces)
        for moment in face.moments
    ]
    rows.sort(key=lambda row: row[:2])
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(row for _, _, row in rows)
    return text.getvalue().encode()


def _row(face: FaceReport, moment: FaceMoment) -> list[object]:
    box = moment.box
    return [
        moment.time,
        face.id,
        moment.emotion,
        round(moment.confidence, _DIGITS),
        int(moment.facing),
        *(round(share, _DIGITS) for share in moment.probabilities),
        box.x,
        box.y,
        box.width,
        box.height,
    ]

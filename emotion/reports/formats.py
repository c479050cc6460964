"""The forms that a report is written in."""

from datetime import datetime
from typing import Literal, get_args

from emotion.photo_set.report import PhotoSetReport
from emotion.reports.csv_report import as_csv
from emotion.reports.html_report import as_html
from emotion.reports.json_report import as_json
from emotion.reports.photo_set_csv import photo_set_csv
from emotion.reports.photo_set_html import photo_set_html
from emotion.reports.photo_set_json import photo_set_json
from emotion.video.report import Report

ReportFormat = Literal["json", "csv", "html"]
FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)
MEDIA_TYPES: dict[ReportFormat, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


def render(
    report: Report | PhotoSetReport,
    form: ReportFormat,
    *,
    title: str = "",
    created_at: datetime | None = None,
) -> bytes:
    """Write a report as a file; equal arguments give equal bytes.

    Args:
        report: what it says.
        form: of the file.
        title: the name of what it is about, shown to people.
        created_at: when the report was made; left out if None.
    """
    if isinstance(report, PhotoSetReport):
        return _render_photo_set(report, form, title, created_at)
    match form:
        case "json":
            return as_json(report, title, created_at)
        case "csv":
            return as_csv(report)
        case "html":
            return as_html(report, title, created_at)


def _render_photo_set(
    report: PhotoSetReport, form: ReportFormat, title: str, created_at: datetime | None
) -> bytes:
    match form:
        case "json":
            return photo_set_json(report, title, created_at)
        case "csv":
            return photo_set_csv(report)
        case "html":
            return photo_set_html(report, title, created_at)

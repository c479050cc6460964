"""The forms that a report is written in."""

from datetime import datetime
from typing import Literal, get_args

from emotion.reports.csv_report import as_csv
from emotion.reports.html_report import as_html
from emotion.reports.json_report import as_json
from emotion.video.report import Report

ReportFormat = Literal["json", "csv", "html"]
FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)
MEDIA_TYPES: dict[ReportFormat, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}


def render(
    report: Report,
    form: ReportFormat,
    *,
    title: str = "",
    created_at: datetime | None = None,
) -> bytes:
    """Write a report as a file; equal arguments give equal bytes.

    Args:
        report: what it says.
        form: of the file.
        title: the video's name, shown to people.
        created_at: when the report was made; left out if None.
    """
    match form:
        case "json":
            return as_json(report, title, created_at)
        case "csv":
            return as_csv(report)
        case "html":
            return as_html(report, title, created_at)

import csv
from io import StringIO

from emotion.reports.csv_report import COLUMNS
from emotion.reports.formats import render
from tests.emotion.reports.made_up import report_of_rows, small_report


def test_a_row_is_a_time_and_face() -> None:
    report = small_report()
    rows = list(csv.DictReader(StringIO(render(report, "csv").decode(), newline="")))
    assert len(rows) == sum(len(face.moments) for face in report.faces)
    assert [float(row["time"]) for row in rows] == sorted(float(row["time"]) for row in rows)
    first = rows[0]
    assert (first["face_id"], first["emotion"]) == (report.faces[0].id, "neutral")
    assert (first["confidence"], first["neutral"], first["facing"]) == ("0.94", "0.94", "1")
    assert [first[side] for side in ("x", "y", "width", "height")] == [
        "100", "100.0", "60.0", "75.0",
    ]  # fmt: skip


def test_no_face_is_a_header_alone() -> None:
    assert render(report_of_rows([[]]), "csv").decode() == ",".join(COLUMNS) + "\r\n"

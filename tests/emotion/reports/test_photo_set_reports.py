import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pytest

from emotion.photo_set.report import PhotoSetReport, sum_up
from emotion.reports.formats import render
from tests.emotion.photo_set.sets import MODEL, PARTY, failed, photo

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)


@pytest.fixture
def report() -> PhotoSetReport:
    return sum_up(PARTY, MODEL, "face_detector 1 at 640 pixels")


def test_json_sums_up_and_has_each_photo_in_its_place(report: PhotoSetReport) -> None:
    content = json.loads(render(report, "json", title="Party", created_at=NOW))
    summary = content["summary"]
    assert (summary["photos"], summary["photos_with_faces"]) == (4, 2)
    assert (summary["photos_failed"], summary["faces"]) == (1, 3)
    assert summary["emotions"]["happy"] == 0.6667
    assert summary["confidence"] == {"minimum": 0.5, "average": 0.7, "median": 0.7}
    assert [photo["name"] for photo in content["photos"]] == ["a.jpg", "b.jpg", "c.jpg", "=d.jpg"]
    assert [face["emotion"] for face in content["photos"][0]["faces"]] == ["happy", "sad"]
    assert content["photos"][1]["error"] == {
        "kind": "undecodable-image",
        "detail": "It is corrupt.",
    }
    assert (content["title"], content["created_at"]) == ("Party", "2026-11-26T03:00:00+00:00")


def test_csv_has_a_row_a_face_and_no_formula(report: PhotoSetReport) -> None:
    rows = list(csv.DictReader(StringIO(render(report, "csv").decode())))
    assert [(row["photo"], row["error"], row["face"], row["emotion"]) for row in rows] == [
        ("a.jpg", "", "1", "happy"),
        ("a.jpg", "", "2", "sad"),
        ("b.jpg", "undecodable-image", "", ""),
        ("c.jpg", "", "", ""),
        ("'=d.jpg", "", "1", "happy"),
    ]
    assert (rows[0]["confidence"], rows[0]["x"]) == ("0.9", "10.0")


def test_the_page_sums_up_and_lists_what_could_not_be_used(report: PhotoSetReport) -> None:
    page = render(report, "html", title="Party", created_at=NOW).decode()
    for words in ("<h1>Party</h1>", "happy 67%", "could not be used", "b.jpg: It is corrupt."):
        assert words in page


def test_names_are_escaped_in_the_page() -> None:
    page = render(sum_up([failed("<script>alert(1)</script>")], MODEL, "d"), "html").decode()
    assert "<script" not in page


def test_a_page_of_many_photos_says_how_many_are_left_out() -> None:
    many = [photo(f"{number}.jpg", *PARTY[0].outcome.faces) for number in range(250)]  # type: ignore[union-attr]  # it has faces
    page = render(sum_up(many, MODEL, "d"), "html").decode()
    assert "50 more photos with faces are in the JSON and CSV reports only." in page


def test_equal_reports_are_equal_bytes(report: PhotoSetReport) -> None:
    again = sum_up(PARTY, MODEL, "face_detector 1 at 640 pixels")
    for form in ("json", "csv", "html"):
        assert render(report, form, created_at=NOW) == render(again, form, created_at=NOW)

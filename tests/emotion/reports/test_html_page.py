"""The page in a real browser."""

from pathlib import Path

import pytest

from emotion.reports.formats import render
from emotion.video.report import Report
from tests.browser import Visit, chromium, visit
from tests.emotion.reports.made_up import large_report, report_of_rows, small_report

pytestmark = pytest.mark.skipif(
    chromium() is None, reason="needs Chromium: apt-get install chromium"
)
QUESTIONS = {
    "title": "document.title",
    "too wide": "document.documentElement.scrollWidth - window.innerWidth",
    "lanes": "document.querySelectorAll('.lane').length",
    "scripts": "document.scripts.length",
    "areas": "document.querySelectorAll('.tall path').length",
}


async def look_at(report: Report, tmp_path: Path, width: int) -> Visit:
    page = tmp_path / "report.html"
    page.write_bytes(render(report, "html", title="<b>talk</b>.mp4"))
    (tmp_path / "profile").mkdir()
    found = await visit(page, tmp_path / "profile", width, QUESTIONS)
    assert found.requests[0] == page.as_uri()
    return found


@pytest.mark.parametrize("width", [1200, 360])
async def test_page_opens_without_a_complaint_and_asks_for_nothing(
    width: int, tmp_path: Path
) -> None:
    found = await look_at(small_report(), tmp_path, width)
    assert found.complaints == []
    assert [one for one in found.requests[1:] if not one.startswith("data:")] == []
    assert found.facts == {
        "title": "<b>talk</b>.mp4: expressions over time",
        "too wide": 0,
        "lanes": 4,
        "scripts": 0,
        "areas": 3,
    }


async def test_page_of_a_full_hall_opens(tmp_path: Path) -> None:
    found = await look_at(large_report(people=200, frames=40, interval=2.0), tmp_path, 1200)
    assert (found.complaints, found.facts["lanes"], found.facts["too wide"]) == ([], 200, 0)


async def test_page_without_faces_opens(tmp_path: Path) -> None:
    found = await look_at(report_of_rows([[], []]), tmp_path, 360)
    assert (found.complaints, found.facts["lanes"], found.facts["too wide"]) == ([], 0, 0)


async def test_a_page_that_does_otherwise_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "careless.html"
    text = render(small_report(), "html").decode().replace("default-src 'none'", "img-src *")
    page.write_text(text.replace("<main>", "<img src='http://127.0.0.1:9/x.png'><main>"))
    (tmp_path / "profile").mkdir()
    found = await visit(page, tmp_path / "profile", 1200, {})
    assert "http://127.0.0.1:9/x.png" in found.requests
    assert found.complaints

"""The page that people get: what it says here, how it fares in a browser in test_html_page."""

import re
from collections.abc import Sequence

from emotion.faces import Face
from emotion.labels import Emotion
from emotion.reports.formats import render
from emotion.reports.wording import percent
from tests.emotion.reports.made_up import (
    large_report,
    report_of_rows,
    report_of_times,
    small_report,
)
from tests.emotion.video.observed import face_at


def page(title: str = "talk.mp4") -> str:
    return render(small_report(), "html", title=title).decode()


def test_what_comes_from_outside_is_escaped() -> None:
    text = page('<script>alert("1")</script>&.mp4')
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&amp;.mp4" in text


def test_the_page_may_load_nothing() -> None:
    assert "default-src 'none'" in page()
    assert re.findall(r"https?://|<script|<img|@import|url\(", page()) == []


def test_each_face_has_a_lane() -> None:
    report = small_report()
    text = page()
    assert [text.count(f'id="{face.id}"') for face in report.faces] == [1] * len(report.faces)


def test_key_moments_and_limits_are_told() -> None:
    text = page()
    assert "not what somebody feels" in text
    assert "It does not measure attention." in text
    assert "2 damaged or out of order were skipped" in text
    assert "emotion_classifier fake-1" in text


def looked_at(times: Sequence[float], duration: float) -> str:
    """Return how often a page says that a video with such frames was looked at."""
    text = render(report_of_times(times, duration), "html").decode()
    found = re.search(r"looked at (.*)</p>", text)
    assert found
    return found[1]


def test_how_often_it_was_really_looked_at_is_told() -> None:
    assert looked_at([0.0, 0.501, 1.001, 1.502], 2.0) == "every 0.5 seconds"
    assert looked_at([0.0, 1.0, 2.0, 3.0], 4.0) == "every second"
    assert looked_at([0.0, 0.5, 1.0, 1.5, 2.0, 2.5], 60.0) == (
        "every 0.5 seconds; nothing new to look at for up to 57.5 seconds"
    )


def test_of_a_low_frame_rate_charts_and_lanes_have_no_stripes() -> None:
    text = render(report_of_times([float(second) for second in range(20)], 20.0), "html").decode()
    assert re.findall(r'<path d="([^"]*)"', text)[0].count("M") == 1
    (lane,) = re.findall(r'<rect x="(.*?)" y="0" width="(.*?)"', text)
    assert lane == ("0.0", "1000.0")


def test_of_a_frame_that_is_held_its_usual_time_is_shown() -> None:
    text = render(report_of_times([0.0, 0.5, 1.0, 1.5], 20.0), "html").decode()
    (lane,) = re.findall(r'<rect x="(.*?)" y="0" width="(.*?)"', text)
    assert lane == ("0.0", "100.0")


def test_shares_are_told_to_be_of_looks() -> None:
    assert "50% of 6 looks at faces" in page()


def test_faces_followed_are_told_to_be_no_count_of_people() -> None:
    assert "<span>no count of people; at most 2 at once</span>" in page()
    assert "one row may hold several people who pass each other" in page()


def lane_heads(rows: Sequence[Sequence[Face]]) -> list[str]:
    """Return what a page says of each face, without the tags."""
    text = render(report_of_rows(rows), "html").decode()
    heads = re.findall(r'<div class="head">(.*?)</div>', text, re.DOTALL)
    return [" ".join(re.sub(r"<.*?>", " ", head).split()) for head in heads]


def test_a_face_is_told_with_the_shares_of_what_it_shows() -> None:
    moods = [Emotion.SAD] * 3 + [Emotion.HAPPY] * 3
    (head,) = lane_heads([[face_at(100, emotion=mood)] for mood in moods])
    assert head.startswith("Face 1 sad 67% happy 33% seen 0:00 to 0:02.5 confidence ")


def test_a_face_that_was_seen_once_is_told_so() -> None:
    (head,) = lane_heads([[face_at(100)], [], []])
    assert head.startswith("Face 1 neutral 100% seen once, at 0:00 confidence 94%, least 94% ")


def test_a_share_that_rounds_to_nothing_is_not_told_as_nothing() -> None:
    assert [percent(share) for share in (0.0, 0.004, 0.006, 0.994, 0.998, 1.0)] == [
        "0%", "<1%", "1%", "99%", ">99%", "100%",
    ]  # fmt: skip


def test_people_are_told_the_names_of_containers() -> None:
    assert "640 x 360, h264 in MP4 or MOV" in page()


def test_a_video_without_faces_is_told_so() -> None:
    text = render(report_of_rows([[], []]), "html").decode()
    assert "No face was found" in text
    assert "Faces followed" not in text
    assert "Face by face" not in text


def test_hundreds_of_faces_are_a_page_of_moderate_size() -> None:
    text = render(large_report(people=200, frames=40, interval=2.0), "html").decode()
    assert text.count('class="lane"') == 200
    assert "176 more faces, seen for a shorter time" in text
    assert len(text) < 600_000


def test_equal_reports_have_equal_pages() -> None:
    assert page() == page()

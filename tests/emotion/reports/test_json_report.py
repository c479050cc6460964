import json
from datetime import UTC, datetime
from typing import Any

import pytest

from emotion.reports.formats import render
from tests.emotion.reports.made_up import report_of_rows, small_report

NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        render(small_report(), "json", title="talk.mp4", created_at=NOON)
    )
    return found


def test_timeline_is_a_time_with_faces_and_their_emotions(content: dict[str, Any]) -> None:
    one, other, after, beside = (face["id"] for face in content["faces"])
    assert content["timeline"] == [
        [0.0, [[one, "neutral"]]],
        [0.5, [[one, "neutral"]]],
        [1.0, [[one, "neutral"], [other, "sad"]]],
        [1.5, [[after, "happy"], [beside, "sad"]]],
    ]


def test_a_face_is_summed_up(content: dict[str, Any]) -> None:
    face = content["faces"][-1]
    assert (face["first_seen"], face["last_seen"], face["emotion"]) == (1.5, 1.5, "sad")
    assert face["confidence"] == {"minimum": 0.94, "average": 0.94, "median": 0.94}
    assert face["engagement"] == {"facing": 1.0, "expressive": 0.99, "index": 0.995}


def test_the_audience_is_summed_up(content: dict[str, Any]) -> None:
    audience = content["audience"]
    assert (audience["most_at_once"], audience["frames_with_faces"]) == (2, 4)
    assert sum(audience["emotions"].values()) == pytest.approx(1, abs=1e-3)


def test_where_it_comes_from_is_told(content: dict[str, Any]) -> None:
    assert content["model"] == {"name": "emotion_classifier", "version": "fake-1"}
    assert (content["detector"], content["title"]) == ("face_detector 1", "talk.mp4")
    assert content["created_at"] == "2026-11-25T12:00:00+00:00"
    assert content["settings"] == {"interval": 0.5, "min_score": 0.6, "smoothing_seconds": 1.0}
    video = content["video"]
    assert (video["sampled_frames"], video["skipped"], video["cuts"]) == (4, 2, [1.2])
    assert video["spacing"] == {"usual": 0.5, "longest": 0.5}


def test_its_limits_are_told(content: dict[str, Any]) -> None:
    assert "not what somebody feels" in content["limits"][0]


def test_no_face_is_no_figure() -> None:
    content = json.loads(render(report_of_rows([[], []]), "json"))
    assert content["timeline"] == [[0.0, []], [0.5, []]]
    assert (content["audience"]["confidence"], content["audience"]["engagement"]) == (None, None)
    assert content["created_at"] is None

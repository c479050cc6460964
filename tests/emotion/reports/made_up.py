"""Reports of made-up videos."""

from collections.abc import Sequence

import numpy as np

from emotion.faces import Face
from emotion.labels import EMOTIONS, Emotion
from emotion.video.assembly import assemble
from emotion.video.observations import SampledFrame
from emotion.video.report import Report
from emotion.video.settings import VideoInfo, VideoSettings
from tests.emotion.video.observed import MODEL, face_at, frames_of_faces, result_of


def report_of_rows(
    rows: Sequence[Sequence[Face]], *, interval: float = 0.5, cuts: Sequence[float] = ()
) -> Report:
    """Return the report of a video with one sampled frame a row."""
    info = VideoInfo("mov", "h264", 640, 360, round(len(rows) * interval, 3), 25.0)
    results = [result_of(frames_of_faces(rows, interval), cuts=cuts, skipped=2)]
    return assemble(info, results, VideoSettings(interval), MODEL, "face_detector 1", "job-1")


def report_of_times(
    times: Sequence[float], duration: float, rows: Sequence[Sequence[Face]] | None = None
) -> Report:
    """Return the report of a video whose frames come at these times, looked at twice a second.

    Without ``rows`` all of them show one happy face.
    """
    shown = rows or [[face_at(100, emotion=Emotion.HAPPY)]] * len(times)
    frames = [SampledFrame(time, tuple(row)) for time, row in zip(times, shown, strict=True)]
    info = VideoInfo("mov", "h264", 640, 360, duration, None)
    return assemble(info, [result_of(frames)], VideoSettings(), MODEL, "face_detector 1", "job-1")


def small_report() -> Report:
    """Two seconds: one face that turns happy, another that is sad and comes late."""
    moods = [Emotion.NEUTRAL, Emotion.NEUTRAL, Emotion.HAPPY, Emotion.HAPPY]
    rows = [[face_at(100, emotion=mood)] for mood in moods]
    rows[2].append(face_at(400, emotion=Emotion.SAD))
    rows[3].append(face_at(400, emotion=Emotion.SAD))
    return report_of_rows(rows, cuts=[1.2])


def large_report(people: int, frames: int, interval: float) -> Report:
    """A hall: people who sit, each in one of all moods for ten frames."""
    rng = np.random.default_rng(0)
    moods = rng.integers(0, len(EMOTIONS), (frames // 10 + 1, people))
    rows = [
        [
            face_at(30.0 * (one % 20), 35.0 * (one // 20), EMOTIONS[mood], width=14.0)
            for one, mood in enumerate(moods[frame // 10])
        ]
        for frame in range(frames)
    ]
    return report_of_rows(rows, interval=interval)

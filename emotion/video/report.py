"""The report of a video: what all its segments say together."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from emotion.faces import ModelVersion
from emotion.video.observations import SegmentResult
from emotion.video.settings import VideoInfo, VideoSettings

ReportFormat = Literal["json", "csv", "html"]


@dataclass(frozen=True, slots=True)
class Report:
    """To be filled in."""

    info: VideoInfo


def assemble(
    info: VideoInfo,
    results: Iterable[SegmentResult],
    settings: VideoSettings,
    model: ModelVersion,
    detector: str,
    seed: str,
) -> Report:
    """Join the segments, in any order, into a report; the same each time.

    Args:
        info: of the video.
        results: one a segment.
        settings: they were analysed with.
        model: that the job began with.
        detector: names the face detector and its version.
        seed: of the faces' ids, which mean nothing outside this report: the job's id.

    Raises:
        ContractMismatch: a segment was judged by another model.
    """
    raise NotImplementedError


def render(
    report: Report,
    form: ReportFormat,
    *,
    title: str = "",
    created_at: datetime | None = None,
) -> bytes:
    """Write a report as a file.

    Args:
        report: what it says.
        form: of the file.
        title: the video's name, shown to people.
        created_at: when the report was made; left out if None.
    """
    raise NotImplementedError

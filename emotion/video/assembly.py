"""From what single segments show to a report: faces are followed, steadied and summed up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from emotion.errors import ContractMismatch
from emotion.faces import Face, ModelVersion
from emotion.labels import EMOTIONS
from emotion.video.engagement import Engagement, expressiveness, is_facing
from emotion.video.key_moments import key_moments
from emotion.video.observations import SegmentResult
from emotion.video.report import (
    Audience,
    AudienceMoment,
    Confidence,
    FaceMoment,
    FaceReport,
    Report,
    Shares,
)
from emotion.video.settings import VideoInfo, VideoSettings
from emotion.video.spacing import spacing_of
from emotion.video.timeline import dominant, smoothed
from emotion.video.tracking import LONGEST_GAP, track_faces

# Two of ten thousand faces share an id in one of 5 million reports.
_ID_BYTES = 6


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
        detector: names the face detector.
        seed: of the faces' ids, which mean nothing outside this report: the job's id.

    Raises:
        ContractMismatch: a segment was judged by another model.
    """
    followed = _follow(results, info, settings, model)
    # A face's sights are let go of once it is summed up: two hours of a crowd are a lot of them.
    faces = tuple(
        _face(_id(seed, number), followed.sights.pop(number), settings.interval)
        for number in sorted(followed.sights)
    )
    audience = _audience(followed.times, faces)
    return Report(
        info=info,
        settings=settings,
        model=model,
        detector=detector,
        skipped=followed.skipped,
        cuts=followed.cuts,
        faces=faces,
        audience=audience,
        key_moments=key_moments(audience, settings.interval),
    )


@dataclass(frozen=True, slots=True)
class _Followed:
    """All segments as one: when was looked, and where each face was seen, by its number."""

    times: tuple[float, ...]
    cuts: tuple[float, ...]
    skipped: int
    sights: dict[int, list[tuple[float, Face]]]


def _follow(
    results: Iterable[SegmentResult], info: VideoInfo, settings: VideoSettings, model: ModelVersion
) -> _Followed:
    segments = sorted(results, key=lambda result: result.index)
    _check_model(segments, model)
    frames = [frame for segment in segments for frame in segment.frames]
    cuts = tuple(cut for segment in segments for cut in segment.cuts)
    times = tuple(frame.time for frame in frames)
    borders = (*cuts, *_ends_of_gaps(times, info, settings))
    numbers = track_faces(frames, borders, (info.width, info.height), settings.min_score)
    sights: defaultdict[int, list[tuple[float, Face]]] = defaultdict(list)
    for frame, given in zip(frames, numbers, strict=True):
        for face, number in zip(frame.faces, given, strict=True):
            if number is not None:
                sights[number].append((frame.time, face))
    skipped = sum(segment.skipped for segment in segments)
    return _Followed(times, cuts, skipped, dict(sights))


def _ends_of_gaps(times: Sequence[float], info: VideoInfo, settings: VideoSettings) -> list[float]:
    """Return when there are frames again after too long a time without any to follow faces over."""
    spacing = spacing_of(times, settings.interval, info.duration)
    return [
        after
        for before, after in pairwise(times)
        if after - before > LONGEST_GAP and spacing.is_gap(after - before)
    ]


def _check_model(segments: Sequence[SegmentResult], model: ModelVersion) -> None:
    others = {segment.model.version for segment in segments} - {model.version}
    if others:
        raise ContractMismatch(
            f"Segments were judged by {', '.join(sorted(others))}, not by {model.version} alone. "
            "Send the video again."
        )


def _id(seed: str, number: int) -> str:
    """Return a face's id; the letter before it keeps spreadsheets from reading a number."""
    return "f" + blake2b(f"{seed}/{number}".encode(), digest_size=_ID_BYTES).hexdigest()


def _face(name: str, sights: Sequence[tuple[float, Face]], interval: float) -> FaceReport:
    times = [time for time, _ in sights]
    steady = smoothed(times, np.array([face.probabilities for _, face in sights]))
    told = dominant(times, steady, interval)
    moments = tuple(
        FaceMoment(
            time, face.detection.box, emotion, tuple(row), is_facing(face.detection.landmarks)
        )
        for (time, face), emotion, row in zip(sights, told, steady.tolist(), strict=True)
    )
    return FaceReport(name, moments, _shares(moments), _confidence(moments), _engagement(moments))


def _audience(times: Sequence[float], faces: Sequence[FaceReport]) -> Audience:
    everybody = [moment for face in faces for moment in face.moments]
    at: defaultdict[float, list[FaceMoment]] = defaultdict(list)
    for moment in everybody:
        at[moment.time].append(moment)
    moments = tuple(_audience_moment(time, at[time]) for time in times)
    return Audience(
        moments,
        _shares(everybody),
        _confidence(everybody) if everybody else None,
        _engagement(everybody) if everybody else None,
    )


def _audience_moment(time: float, faces: Sequence[FaceMoment]) -> AudienceMoment:
    engagement = _engagement(faces) if faces else None
    return AudienceMoment(time, len(faces), _shares(faces), engagement)


def _shares(moments: Sequence[FaceMoment]) -> Shares:
    told = [moment.emotion for moment in moments]
    return tuple(told.count(emotion) / max(1, len(told)) for emotion in EMOTIONS)


def _confidence(moments: Sequence[FaceMoment]) -> Confidence:
    sure = [moment.confidence for moment in moments]
    return Confidence(min(sure), float(np.mean(sure)), float(np.median(sure)))


def _engagement(moments: Sequence[FaceMoment]) -> Engagement:
    return Engagement(
        float(np.mean([moment.facing for moment in moments])),
        float(np.mean([expressiveness(moment.probabilities) for moment in moments])),
    )

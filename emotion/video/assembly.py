"""From what single segments show to a report: faces are followed, steadied and summed up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from emotion.errors import ContractMismatch
from emotion.faces import Face, ModelVersion
from emotion.labels import EMOTIONS
from emotion.video.engagement import Engagement, expressiveness, is_facing
from emotion.video.key_moments import key_moments
from emotion.video.observations import SampledFrame, SegmentResult
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
from emotion.video.timeline import dominant, smoothed
from emotion.video.tracking import track_faces

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
    segments = sorted(results, key=lambda result: result.index)
    _check_model(segments, model)
    frames = [frame for segment in segments for frame in segment.frames]
    cuts = tuple(cut for segment in segments for cut in segment.cuts)
    faces = _faces(frames, cuts, info, settings, seed)
    audience = _audience(frames, faces)
    return Report(
        info=info,
        settings=settings,
        model=model,
        detector=detector,
        skipped=sum(segment.skipped for segment in segments),
        cuts=cuts,
        faces=faces,
        audience=audience,
        key_moments=key_moments(audience, settings.interval),
    )


def _check_model(segments: Sequence[SegmentResult], model: ModelVersion) -> None:
    others = {segment.model.version for segment in segments} - {model.version}
    if others:
        raise ContractMismatch(
            f"Segments were judged by {', '.join(sorted(others))}, not by {model.version} alone. "
            "Send the video again."
        )


def _faces(
    frames: Sequence[SampledFrame],
    cuts: tuple[float, ...],
    info: VideoInfo,
    settings: VideoSettings,
    seed: str,
) -> tuple[FaceReport, ...]:
    numbers = track_faces(frames, cuts, (info.width, info.height), settings.min_score)
    sights: defaultdict[int, list[tuple[float, Face]]] = defaultdict(list)
    for frame, given in zip(frames, numbers, strict=True):
        for face, number in zip(frame.faces, given, strict=True):
            if number is not None:
                sights[number].append((frame.time, face))
    return tuple(
        _face(_id(seed, number), sights[number], settings.interval) for number in sorted(sights)
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


def _audience(frames: Sequence[SampledFrame], faces: Sequence[FaceReport]) -> Audience:
    everybody = [moment for face in faces for moment in face.moments]
    at: defaultdict[float, list[FaceMoment]] = defaultdict(list)
    for moment in everybody:
        at[moment.time].append(moment)
    moments = tuple(_audience_moment(frame.time, at[frame.time]) for frame in frames)
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

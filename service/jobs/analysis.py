"""Jobs analysed in this process, by the models that each began with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emotion.faces import ModelVersion
from emotion.photo import PhotoPipeline
from emotion.reports.formats import FORMATS, ReportFormat, render
from emotion.video.analysis import VideoAnalyser
from emotion.video.assembly import assemble
from emotion.video.observations import decode_segment, encode_segment
from emotion.video.probe import probe
from emotion.video.settings import Segment, VideoInfo, VideoSettings, segments
from service.jobs.job import Job, Kind
from service.jobs.photo_set_analysis import PhotoSetAnalysis
from service.jobs.photos import photos_of
from service.jobs.work import Analysis
from service.models.onnx import OnnxClassifier
from service.models.served import choose_classifier, find_classifier
from service.settings import Settings
from service.sources import Sources
from service.stages.inline import InlineClassifier, InlineDetector
from service.stages.inline_video import describe_detector, video_analyser


@dataclass(frozen=True, slots=True)
class VideoAnalysis:
    """``service.jobs.work.Analysis`` of a video, with the models of this process."""

    path: Path
    video: Job
    info: VideoInfo
    settings: VideoSettings
    model: ModelVersion
    detector: str
    analyser: VideoAnalyser

    @property
    def segment_count(self) -> int:
        """How many segments it has."""
        return len(self._segments())

    def analyse(self, number: int, should_stop: Callable[[], bool]) -> bytes:
        """Say what a segment shows; see the protocol."""
        segment = self._segments()[number]
        return encode_segment(
            self.analyser.analyse_segment(self.path, segment, should_stop=should_stop)
        )

    def report(self, payloads: Sequence[bytes]) -> Mapping[ReportFormat, bytes]:
        """Put the segments together; see the protocol."""
        results = map(decode_segment, payloads)
        report = assemble(
            self.info, results, self.settings, self.model, self.detector, seed=self.video.id
        )
        created_at = datetime.fromtimestamp(self.video.created_at, UTC)
        title = self.video.name or ""
        return {form: render(report, form, title=title, created_at=created_at) for form in FORMATS}

    def _segments(self) -> list[Segment]:
        return segments(self.info, self.settings)


class InlineAnalyses:
    """``service.jobs.work.Analyses``: models are loaded for a job, and kept for the next."""

    def __init__(self, settings: Settings) -> None:
        """Load nothing yet."""
        self._settings = settings
        self._classifier: OnnxClassifier | None = None
        self._analyser: tuple[tuple[ModelVersion, VideoSettings], VideoAnalyser] | None = None
        self._pipeline: tuple[ModelVersion, PhotoPipeline] | None = None
        self._sources = Sources()

    def open(self, path: Path, job: Job, should_stop: Callable[[], bool]) -> Analysis:
        """Open a job; see the protocol."""
        match job.kind:
            case Kind.VIDEO:
                return self.open_video(path, job, should_stop)
            case Kind.PHOTOS:
                return self.open_photo_set(path, job)

    def open_photo_set(self, path: Path, job: Job) -> PhotoSetAnalysis:
        """Open a set of photos; likewise."""
        photos = photos_of(path, job, self._settings.photo_set_limits, self._sources)
        classifier = self._classifier_of(job)
        pipeline = self._pipeline_of(classifier)
        detector = describe_detector(self._settings)
        return PhotoSetAnalysis(photos, job, classifier.version, detector, pipeline)

    def open_video(self, path: Path, video: Job, should_stop: Callable[[], bool]) -> VideoAnalysis:
        """Open a video; likewise."""
        settings = VideoSettings(**video.settings)
        info = probe(path, self._settings.video_limits, should_stop=should_stop)
        classifier = self._classifier_of(video)
        return VideoAnalysis(
            path,
            video,
            info,
            settings,
            classifier.version,
            describe_detector(self._settings),
            self._analyser_of(classifier, settings),
        )

    def _classifier_of(self, job: Job) -> OnnxClassifier:
        """Return the classifier that the job began with, or the one that is served now."""
        where, most = self._settings.model_repositories, self._settings.max_batch
        if job.model is None:
            self._classifier = choose_classifier(where, most).classifier
        elif self._classifier is None or self._classifier.version != job.model:
            self._classifier = find_classifier(where, job.model, most)
        return self._classifier

    def _pipeline_of(self, classifier: OnnxClassifier) -> PhotoPipeline:
        if self._pipeline is None or self._pipeline[0] != classifier.version:
            judge = InlineClassifier(classifier, self._settings)
            pipeline = PhotoPipeline(InlineDetector(self._settings), judge)
            self._pipeline = classifier.version, pipeline
        return self._pipeline[1]

    def _analyser_of(self, classifier: OnnxClassifier, settings: VideoSettings) -> VideoAnalyser:
        key = classifier.version, settings
        if self._analyser is None or self._analyser[0] != key:
            limits = self._settings.video_limits
            analyser = video_analyser(classifier, self._settings, limits, settings)
            self._analyser = key, analyser
        return self._analyser[1]

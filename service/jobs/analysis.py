"""Videos analysed in this process, by the models that a job began with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from emotion.detection import FaceNetwork
from emotion.faces import ModelVersion
from emotion.sighting import sight_frame
from emotion.video.analysis import VideoAnalyser
from emotion.video.observations import decode_segment, encode_segment
from emotion.video.probe import probe
from emotion.video.report import assemble, render
from emotion.video.settings import Segment, VideoInfo, VideoSettings, segments
from service.jobs.videos import REPORT_FORMATS, ReportFormat, Video
from service.models.onnx import OnnxClassifier
from service.models.openvino import OpenVinoFaceNetwork
from service.models.served import choose_classifier, choose_detector, find_classifier
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class InlineAnalysis:
    """``service.jobs.job.Analysis`` with the models of this process."""

    path: Path
    video: Video
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
        return {
            form: render(report, form, title=title, created_at=created_at)
            for form in REPORT_FORMATS
        }

    def _segments(self) -> list[Segment]:
        return segments(self.info, self.settings)


class InlineAnalyses:
    """``service.jobs.job.Analyses``: models are loaded for the first video, and kept."""

    def __init__(self, settings: Settings) -> None:
        """Load nothing yet."""
        self._settings = settings
        self._network: FaceNetwork | None = None
        self._classifier: OnnxClassifier | None = None

    def open(self, path: Path, video: Video, should_stop: Callable[[], bool]) -> InlineAnalysis:
        """Open a video; see the protocol."""
        limits = self._settings.video_limits
        settings = VideoSettings(**video.settings)
        info = probe(path, limits, should_stop=should_stop)
        classifier = self._classifier_of(video)
        detect = partial(sight_frame, network=self._detector(), settings=self._settings.detection)
        return InlineAnalysis(
            path,
            video,
            info,
            settings,
            classifier.version,
            choose_detector(self._settings.model_repositories).name,
            VideoAnalyser(detect, classifier, limits, settings),
        )

    def _detector(self) -> FaceNetwork:
        if self._network is None:
            self._network = OpenVinoFaceNetwork(
                choose_detector(self._settings.model_repositories).repository,
                self._settings.detector_precision,
                parallel=self._settings.threads,
            )
        return self._network

    def _classifier_of(self, video: Video) -> OnnxClassifier:
        """Return the classifier that the job began with, or the one that is served now."""
        where, most = self._settings.model_repositories, self._settings.max_batch
        if video.model is None:
            self._classifier = choose_classifier(where, most).classifier
        elif self._classifier is None or self._classifier.version != video.model:
            self._classifier = find_classifier(where, video.model, most)
        return self._classifier

"""Segments through the real detector, and a classifier that is made up."""

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from emotion.detection import DetectionSettings
from emotion.errors import ContractMismatch, Stopped
from emotion.faces import ModelVersion, Sighting, Verdicts
from emotion.image import RgbImage
from emotion.preprocessing import classifier_input
from emotion.reports.formats import FORMATS, render
from emotion.sighting import sight_frame
from emotion.video.analysis import VideoAnalyser
from emotion.video.assembly import assemble
from emotion.video.observations import SegmentResult
from emotion.video.probe import probe
from emotion.video.settings import Segment, VideoLimits, VideoSettings, segments
from service.models.openvino import OpenVinoFaceNetwork
from tests.clips import greys, steady, walking, write_clip

LIMITS = VideoLimits()
MODEL = ModelVersion("emotion_classifier", "fake-1")


class MeanClassifier:
    """Its first share is a crop's mean brightness; says how many crops it got at a time."""

    def __init__(self, *models: ModelVersion) -> None:
        self._models = list(models) or [MODEL]
        self.batches: list[int] = []

    def classify(self, crops: npt.NDArray[np.uint8]) -> Verdicts:
        self.batches.append(len(crops))
        shares = np.full((len(crops), 7), 0.1, dtype=np.float32)
        shares[:, 0] = crops.reshape(len(crops), 48 * 48).mean(axis=1) / 255 if len(crops) else 0
        model = self._models.pop(0) if len(self._models) > 1 else self._models[0]
        return Verdicts(shares, model)


class BlankDetector:
    """Finds nobody."""

    def __call__(self, frame: RgbImage) -> Sighting:
        return Sighting(frame.shape[1], frame.shape[0], (), classifier_input([]))


class Detector:
    """``emotion.stages.FrameDetector`` on the committed model."""

    def __init__(self, network: OpenVinoFaceNetwork) -> None:
        self._network = network

    def __call__(self, frame: RgbImage) -> Sighting:
        return sight_frame(frame, self._network, DetectionSettings(side=320, min_score=0.3))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of one swaying face."""
    path = tmp_path_factory.mktemp("clips") / "walk.mp4"
    return write_clip(path, walking(100), steady(25, 4), g="30")


def analyse(
    path: Path, detector: Detector, seconds: float, classifier: MeanClassifier | None = None
) -> list[SegmentResult]:
    settings = VideoSettings(0.2, seconds)
    analyser = VideoAnalyser(detector, classifier or MeanClassifier(), LIMITS, settings)
    return [
        analyser.analyse_segment(path, segment)
        for segment in segments(probe(path, LIMITS), settings)
    ]


@pytest.fixture(scope="module")
def detector(face_network: OpenVinoFaceNetwork) -> Detector:
    return Detector(face_network)


def test_every_frame_shows_the_face_where_it_is(clip: Path, detector: Detector) -> None:
    (result,) = analyse(clip, detector, 30.0)
    assert [frame.time for frame in result.frames] == [round(0.2 * step, 3) for step in range(20)]
    assert [len(frame.faces) for frame in result.frames] == [1] * 20
    for frame in result.frames:
        box = frame.faces[0].detection.box
        middle = 80 + 60 * np.sin(frame.time * 25 / 15) + 80
        assert box.x + box.width / 2 == pytest.approx(middle, abs=20)


def test_one_segment_and_seven_give_equal_reports(clip: Path, detector: Detector) -> None:
    info = probe(clip, LIMITS)
    reports = [
        assemble(info, analyse(clip, detector, seconds), VideoSettings(0.2), MODEL, "one", "job")
        for seconds in (30.0, 0.6)
    ]
    for form in FORMATS:
        assert render(reports[0], form) == render(reports[1], form)


def test_crops_are_judged_many_at_a_time(clip: Path, detector: Detector) -> None:
    classifier = MeanClassifier()
    analyse(clip, detector, 30.0, classifier)
    assert classifier.batches == [20]


def test_a_swap_of_the_model_in_the_middle_is_refused(tmp_path: Path, detector: Detector) -> None:
    path = write_clip(tmp_path / "long.mp4", walking(100), steady(12, 8))
    models = MeanClassifier(MODEL, ModelVersion("emotion_classifier", "fake-2"))
    with pytest.raises(ContractMismatch, match="changed in the middle"):
        analyse(path, detector, 30.0, models)


def test_a_segment_without_faces_names_the_model(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "grey.mp4", greys([90] * 10), steady(10, 1))
    analyser = VideoAnalyser(BlankDetector(), MeanClassifier(), LIMITS, VideoSettings())
    result = analyser.analyse_segment(path, Segment(0, 0.0, 1.0))
    assert (result.model, result.width, result.height) == (MODEL, 64, 64)
    assert [frame.faces for frame in result.frames] == [(), ()]


def test_times_are_told_as_it_goes(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "grey.mp4", greys([90] * 20), steady(10, 2))
    analyser = VideoAnalyser(BlankDetector(), MeanClassifier(), LIMITS, VideoSettings())
    told: list[float] = []
    analyser.analyse_segment(path, Segment(0, 0.0, 2.0), on_frame=told.append)
    assert told == [0.0, 0.5, 1.0, 1.5]


def test_a_stop_leaves_no_thread_behind(clip: Path) -> None:
    threads = set(threading.enumerate())
    analyser = VideoAnalyser(BlankDetector(), MeanClassifier(), LIMITS, VideoSettings(0.04))
    asked = iter(range(1000))
    with pytest.raises(Stopped):
        analyser.analyse_segment(clip, Segment(0, 0.0, 4.0), should_stop=lambda: next(asked) > 40)
    assert set(threading.enumerate()) == threads


class FailingDetector:
    """Raises."""

    def __call__(self, frame: RgbImage) -> Sighting:  # noqa: ARG002  # what the protocol gives
        raise ContractMismatch("The detector is another one.")


def test_an_error_of_the_detector_is_raised(clip: Path) -> None:
    analyser = VideoAnalyser(FailingDetector(), MeanClassifier(), LIMITS, VideoSettings())
    with pytest.raises(ContractMismatch, match="another one"):
        analyser.analyse_segment(clip, Segment(0, 0.0, 4.0))

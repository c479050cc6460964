from pathlib import Path

import pytest

from benchmarks.detectors import Measurement, TimedDetector, as_line, measure
from benchmarks.wider_face import DetectionScore
from emotion.detection import DetectionSettings, FaceNetwork
from tests.pictures import astronaut, gradient
from training.data.finders import MtcnnFinder, RetinaFaceFinder

# shared/notes/runtime.md: this detector on this sample, side 640, score 0.6.
REFERENCE = {"easy": 0.787, "medium": 0.668, "hard": 0.277}
REFERENCE_UNMATCHED = 68


def test_line_tells_recall_counts_and_time() -> None:
    score = DetectionScore({"easy": 0.7949, "medium": 0.67, "hard": 0.28}, 1_613, 62)
    line = as_line(Measurement("mtcnn", 640, score, 28.54))
    assert (
        line
        == "mtcnn                 640   0.795   0.670   0.280       1,613         62       28.5"
    )


# Its sibling without shared data is in test_wider_face: the astronaut is found, and nobody else.
@pytest.mark.shared_data
def test_shipped_settings_find_what_the_reference_finds(
    shared_data: Path, face_network: FaceNetwork
) -> None:
    settings = DetectionSettings()
    assert settings.side == 640
    finder = RetinaFaceFinder(face_network)
    measured = measure(shared_data / "widerface", "retinaface", finder, settings)
    for level, recall in REFERENCE.items():
        assert measured.score.recall[level] > recall - 0.01
    assert measured.score.unmatched <= REFERENCE_UNMATCHED
    assert measured.milliseconds > 0


def test_time_of_each_image_is_kept() -> None:
    detector = TimedDetector(MtcnnFinder(min_face=80), DetectionSettings(side=320))
    assert len(detector(astronaut())) == 1
    assert len(detector(gradient(64, 48))) == 0
    assert [seconds > 0 for seconds in detector.seconds] == [True, True]

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from emotion.deadline import Deadline
from emotion.detection import DetectionSettings, Floats, priors_of
from emotion.errors import DeadlineExceeded, UndecodableImage, UnsupportedImage
from emotion.faces import Sighting
from emotion.image import ImageLimits
from service.models.onnx import OnnxClassifier, load_classifier
from service.stages.tasks import (
    CropBatchClassifier,
    CropTask,
    CropVerdict,
    DetectionTask,
    PhotoBatchDetector,
)
from tests.service.tiny_models import TinyRepository

EXPIRED = Deadline(at=0.0)


class BlindNetwork:
    """Sees no face; counts how often it looks."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        self.looks += 1
        count = len(priors_of(images.shape[1], images.shape[2]))
        return tuple(np.zeros((1, count, *rest), np.float32) for rest in ((4,), (), (10,)))  # type: ignore[return-value]  # three of them


@pytest.fixture
def network() -> BlindNetwork:
    return BlindNetwork()


@pytest.fixture
def detect(network: BlindNetwork) -> PhotoBatchDetector:
    return PhotoBatchDetector(network, DetectionSettings(side=64), ImageLimits())


@pytest.fixture
def classify(tiny: TinyRepository) -> CropBatchClassifier:
    return CropBatchClassifier(load_classifier(tiny.write(), max_batch=4))


def png(width: int = 40, height: int = 30) -> bytes:
    return cv2.imencode(".png", np.zeros((height, width, 3), dtype=np.uint8))[1].tobytes()


def crop(level: int, deadline: Deadline | None = None) -> CropTask:
    return CropTask(np.full((1, 48, 48), level, dtype=np.uint8), deadline or Deadline())


def test_each_photo_is_sighted(detect: PhotoBatchDetector) -> None:
    (result,) = detect([DetectionTask(png(40, 30), Deadline())])
    assert isinstance(result, Sighting)
    assert (result.width, result.height, result.detections) == (40, 30, ())


def test_one_bad_photo_fails_no_other(detect: PhotoBatchDetector, network: BlindNetwork) -> None:
    photos = (b"", png(), b"just text", png())
    results = detect([DetectionTask(photo, Deadline()) for photo in photos])
    kinds = [UndecodableImage, Sighting, UnsupportedImage, Sighting]
    assert [type(result) for result in results] == kinds
    assert network.looks == 2


def test_a_photo_past_its_deadline_is_not_looked_at(
    detect: PhotoBatchDetector, network: BlindNetwork
) -> None:
    results = detect([DetectionTask(png(), EXPIRED), DetectionTask(png(), Deadline())])
    assert [type(result) for result in results] == [DeadlineExceeded, Sighting]
    assert network.looks == 1


def test_each_crop_is_judged_in_order(classify: CropBatchClassifier) -> None:
    dark, bright = classify([crop(0), crop(255)])
    assert isinstance(dark, CropVerdict)
    assert isinstance(bright, CropVerdict)
    assert dark.probabilities.shape == (7,)
    assert dark.probabilities[6] < bright.probabilities[6]
    assert dark.model.version == "tiny"


def test_a_crop_past_its_deadline_is_left_out_and_keeps_its_place(
    classify: CropBatchClassifier,
) -> None:
    first, late, last = classify([crop(0), crop(99, EXPIRED), crop(255)])
    (alone,) = classify([crop(255)])
    assert isinstance(first, CropVerdict)
    assert isinstance(late, DeadlineExceeded)
    assert isinstance(last, CropVerdict)
    assert isinstance(alone, CropVerdict)
    np.testing.assert_allclose(last.probabilities, alone.probabilities, rtol=1e-6)


def test_a_batch_that_came_too_late_as_a_whole_is_not_run(
    classify: CropBatchClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the model was run for nobody")

    monkeypatch.setattr(OnnxClassifier, "classify", fail)
    results = classify([crop(0, EXPIRED), crop(1, EXPIRED)])
    assert [type(result) for result in results] == [DeadlineExceeded] * 2

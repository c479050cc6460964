import cv2
import numpy as np

from emotion.deadline import Deadline
from emotion.errors import DeadlineExceeded, UnsupportedImage
from emotion.faces import Sighting
from service.models.onnx import load_classifier
from service.settings import Settings
from service.stages.inline import InlineClassifier, InlineDetector
from tests.service.tiny_models import TinyRepository


def tiny_classifier(tiny: TinyRepository) -> InlineClassifier:
    return InlineClassifier(load_classifier(tiny.write(), max_batch=32), Settings())


async def test_each_photo_has_its_result_in_its_place() -> None:
    image = cv2.imencode(".png", np.zeros((30, 40, 3), dtype=np.uint8))[1].tobytes()
    detector = InlineDetector(Settings(threads=2, detection_side=64))
    one, bad, other = await detector.detect([image, b"text", image], Deadline())
    assert isinstance(one, Sighting)
    assert isinstance(bad, UnsupportedImage)
    assert isinstance(other, Sighting)
    assert (one.width, one.height) == (40, 30)
    (late,) = await detector.detect([image], Deadline(at=0.0))
    assert isinstance(late, DeadlineExceeded)


async def test_more_crops_than_a_batch_holds_are_judged_in_order(tiny: TinyRepository) -> None:
    classifier = tiny_classifier(tiny)
    levels = np.arange(0, 200, 20, dtype=np.uint8)
    crops = levels.reshape(-1, 1, 1, 1) * np.ones((1, 1, 48, 48), dtype=np.uint8)
    verdicts = await classifier.classify(crops, Deadline())
    assert verdicts.model.version == "tiny"
    assert len(verdicts.probabilities) == 10
    assert (np.diff(verdicts.probabilities[:, 6]) > 0).all()


async def test_no_crops_still_name_the_model(tiny: TinyRepository) -> None:
    classifier = tiny_classifier(tiny)
    verdicts = await classifier.classify(np.empty((0, 1, 48, 48), dtype=np.uint8), Deadline())
    assert (verdicts.model.version, len(verdicts.probabilities)) == ("tiny", 0)

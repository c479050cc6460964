import numpy as np
import pytest

from emotion.deadline import Deadline
from emotion.errors import ModelUnavailable, UndecodableImage
from emotion.faces import Box, Detection, PhotoAnswer, Sighting
from emotion.labels import Emotion
from emotion.photo import PhotoPipeline
from tests.stages import MODEL, DownDetector, FakeClassifier, FakeDetector

BROKEN = UndecodableImage("broken")
DEADLINE = Deadline(at=1e9)


def sighting_of(*emotions: Emotion) -> Sighting:
    """A photo of 640x480 with faces that ``FakeClassifier`` judges so."""
    detections = tuple(
        Detection(Box(10.0 * row, 0.0, 50.0 - row, 50.0), 0.9, ((0.0, 0.0),) * 5)
        for row in range(len(emotions))
    )
    crops = np.zeros((len(emotions), 1, 48, 48), dtype=np.uint8)
    crops[:, 0, 0, 0] = [list(Emotion).index(emotion) for emotion in emotions]
    return Sighting(640, 480, detections, crops)


TWO = sighting_of(Emotion.HAPPY, Emotion.SAD)
ONE = sighting_of(Emotion.FEAR)
NONE = sighting_of()


def pipeline_over(
    **answers: Sighting | UndecodableImage,
) -> tuple[PhotoPipeline, FakeDetector, FakeClassifier]:
    detector = FakeDetector({name.encode(): answer for name, answer in answers.items()})
    classifier = FakeClassifier()
    return PhotoPipeline(detector, classifier), detector, classifier


def emotions_of(answer: object) -> list[str]:
    assert isinstance(answer, PhotoAnswer)
    return [face.emotion for face in answer.faces]


async def test_answers_keep_the_order_of_photos_and_faces() -> None:
    pipeline, _, _ = pipeline_over(two=TWO, one=ONE)
    first, second, third = await pipeline.analyse([b"one", b"two", b"one"], DEADLINE)
    assert emotions_of(first) == ["fear"]
    assert emotions_of(second) == ["happy", "sad"]
    assert emotions_of(third) == ["fear"]


async def test_answer_tells_size_detections_and_model() -> None:
    pipeline, _, _ = pipeline_over(two=TWO)
    (answer,) = await pipeline.analyse([b"two"], DEADLINE)
    assert isinstance(answer, PhotoAnswer)
    assert (answer.width, answer.height) == (640, 480)
    assert tuple(face.detection for face in answer.faces) == TWO.detections
    assert answer.faces[0].probabilities == (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    assert answer.model == MODEL


async def test_bad_photos_error_stands_in_its_place() -> None:
    pipeline, _, _ = pipeline_over(bad=BROKEN, one=ONE)
    first, second, third = await pipeline.analyse([b"one", b"bad", b"one"], DEADLINE)
    assert emotions_of(first) == emotions_of(third) == ["fear"]
    assert second is BROKEN


async def test_photo_without_faces_has_an_empty_answer() -> None:
    pipeline, _, _ = pipeline_over(none=NONE)
    (answer,) = await pipeline.analyse([b"none"], DEADLINE)
    assert answer == PhotoAnswer(640, 480, (), MODEL)


async def test_all_crops_are_classified_in_one_call() -> None:
    pipeline, _, classifier = pipeline_over(two=TWO, one=ONE, bad=BROKEN, none=NONE)
    await pipeline.analyse([b"two", b"bad", b"none", b"one"], DEADLINE)
    ((crops, _),) = classifier.calls
    assert np.array_equal(crops, np.concatenate([TWO.crops, ONE.crops]))


@pytest.mark.parametrize("photos", [[], [b"bad"]])
async def test_nothing_to_classify_is_an_empty_batch(photos: list[bytes]) -> None:
    pipeline, _, classifier = pipeline_over(bad=BROKEN)
    assert await pipeline.analyse(photos, DEADLINE) == [BROKEN] * len(photos)
    ((crops, _),) = classifier.calls
    assert crops.shape == (0, 1, 48, 48)


async def test_both_stages_are_given_the_deadline() -> None:
    pipeline, detector, classifier = pipeline_over(one=ONE)
    await pipeline.analyse([b"one"], DEADLINE)
    assert [deadline for _, deadline in detector.calls] == [DEADLINE]
    assert [deadline for _, deadline in classifier.calls] == [DEADLINE]


async def test_failure_of_a_stage_is_let_through() -> None:
    pipeline = PhotoPipeline(DownDetector(), FakeClassifier())
    with pytest.raises(ModelUnavailable, match="down"):
        await pipeline.analyse([b"one"], DEADLINE)

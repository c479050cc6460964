import numpy as np
import pytest

from emotion.deadline import Deadline
from emotion.errors import (
    DeadlineExceeded,
    InvalidRequest,
    ModelUnavailable,
    RaptError,
    UndecodableImage,
)
from emotion.faces import ModelVersion, Sighting
from emotion.photo import PhotoPipeline
from service.models.served import ModelState
from service.open_inference.answers import Answer, answer, served_version
from service.open_inference.contract import IMAGE_INDEX, LABELS, OUTPUTS, TensorSpec
from service.open_inference.questions import Question
from tests.service.fake_stages import BAD_PHOTO, photo_of
from tests.service.http.client import started_plane
from tests.stages import FakeClassifier, FakeDetector


async def ask(
    *photos: bytes, outputs: tuple[TensorSpec, ...] = OUTPUTS, version: str = ""
) -> Answer:
    return await answer(started_plane(), Question(photos, outputs, version), Deadline())


async def test_faces_of_all_photos_are_rows_in_order() -> None:
    given = await ask(photo_of(2), photo_of(0), photo_of(1))
    boxes, scores, probabilities, labels, index = given.tensors
    assert given.version == "fake-1"
    assert [tensor.spec for tensor in given.tensors] == list(OUTPUTS)
    np.testing.assert_array_equal(
        boxes.values, np.array([[10.04, 20.06, 40, 50]] * 3, dtype=np.float32)
    )
    np.testing.assert_array_equal(scores.values, np.array([0.98765] * 3, dtype=np.float32))
    np.testing.assert_array_equal(
        probabilities.values, np.array([[0, 0, 0, 1, 0, 0, 0]] * 3, dtype=np.float32)
    )
    assert labels.values == ("happy",) * 3
    np.testing.assert_array_equal(index.values, [0, 0, 2])


async def test_no_faces_are_tensors_without_rows() -> None:
    given = await ask(photo_of(0))
    assert [tensor.shape for tensor in given.tensors] == [[0, 4], [0], [0, 7], [0], [0]]
    assert [tensor.to_bytes() for tensor in given.tensors] == [b""] * 5


async def test_only_what_is_asked_for_is_given() -> None:
    given = await ask(photo_of(1), outputs=(IMAGE_INDEX, LABELS))
    assert [tensor.spec for tensor in given.tensors] == [IMAGE_INDEX, LABELS]


async def test_a_bad_photo_fails_the_request_and_is_named() -> None:
    with pytest.raises(UndecodableImage) as failure:
        await ask(photo_of(1), BAD_PHOTO, BAD_PHOTO)
    assert failure.value.message == "image[1]: These bytes say nothing about faces."


async def test_a_row_that_was_too_late_is_nobodys_fault() -> None:
    answers: dict[bytes, Sighting | RaptError] = {b"late": DeadlineExceeded("Too late.")}
    plane = started_plane(pipeline=PhotoPipeline(FakeDetector(answers), FakeClassifier()))
    with pytest.raises(DeadlineExceeded, match=r"^Too late\.$"):
        await answer(plane, Question([b"late"], OUTPUTS, ""), Deadline())


async def test_the_version_that_answers_may_be_asked_for() -> None:
    assert (await ask(photo_of(0), version="fake-1")).version == "fake-1"


async def test_nothing_is_computed_for_a_version_that_is_not_served() -> None:
    detector = FakeDetector({})
    plane = started_plane(pipeline=PhotoPipeline(detector, FakeClassifier()))
    with pytest.raises(InvalidRequest, match="'fake-0' of 'emotion' is not served; 'fake-1' is"):
        await answer(plane, Question([b""], OUTPUTS, "fake-0"), Deadline())
    assert detector.calls == []


async def test_a_version_that_is_swapped_meanwhile_is_told() -> None:
    async def say_older() -> ModelState:
        return ModelState(ModelVersion("emotion_classifier", "fake-0"))

    with pytest.raises(InvalidRequest, match="'fake-0' of 'emotion' is not served; 'fake-1' is"):
        await answer(
            started_plane(probe=say_older), Question([photo_of(0)], OUTPUTS, "fake-0"), Deadline()
        )


async def test_the_served_version_is_told_of_this_model_only() -> None:
    assert await served_version(started_plane(), "emotion", "") == "fake-1"
    assert await served_version(started_plane(), "emotion", "fake-1") == "fake-1"
    with pytest.raises(InvalidRequest, match="no model 'x'"):
        await served_version(started_plane(), "x", "")
    with pytest.raises(InvalidRequest, match="Version '2'"):
        await served_version(started_plane(), "emotion", "2")


async def test_a_model_that_does_not_answer_has_no_version() -> None:
    async def fail() -> ModelState:
        raise ModelUnavailable("Gone.")

    with pytest.raises(ModelUnavailable, match="Gone"):
        await served_version(started_plane(probe=fail), "emotion", "")

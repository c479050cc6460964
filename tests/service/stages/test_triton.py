"""The stages on a real Triton server: they answer as those in this process do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from emotion.contract import CLASSIFIER_NAME
from emotion.deadline import Deadline
from emotion.errors import (
    DeadlineExceeded,
    ModelUnavailable,
    Overloaded,
    UndecodableImage,
    UnsupportedImage,
)
from emotion.faces import ModelVersion, Sighting, Verdicts
from service.models.served import choose_classifier
from service.settings import Settings
from service.stages import triton_models
from service.stages.inline import InlineClassifier, InlineDetector
from service.stages.triton import TritonClassifier, TritonDetector
from service.stages.triton_client import Inference, TritonClient
from tests.pictures import astronaut, encode, gradient
from tests.service.stages.coming_back import until_it_answers
from tests.service.stages.conftest import ChangingTriton
from tests.triton_server import TritonServer, triton_server

TOLERANCE = 1e-4
FOR_EVER = Deadline()


@pytest.fixture
def settings() -> Settings:
    return Settings(detector_precision="f32")


@pytest.fixture
async def client(triton: TritonServer) -> AsyncIterator[TritonClient]:
    client = TritonClient(triton.address)
    yield client
    await client.close()


@pytest.fixture
def detector(client: TritonClient, settings: Settings) -> TritonDetector:
    return TritonDetector(client, settings)


@pytest.fixture
def classifier(client: TritonClient, settings: Settings) -> TritonClassifier:
    return TritonClassifier(client, settings)


@pytest.fixture
def inline_classifier(settings: Settings) -> InlineClassifier:
    served = choose_classifier(settings.model_repositories, settings.max_batch)
    return InlineClassifier(served.classifier, settings)


@pytest.fixture(scope="session")
def photo() -> bytes:
    return encode(astronaut(), "JPEG")


def crops_of(count: int) -> npt.NDArray[np.uint8]:
    """No two alike."""
    return np.random.default_rng(3).integers(0, 256, (count, 1, 48, 48), dtype=np.uint8)


def assert_same(one: Sighting, other: Sighting) -> None:
    assert (one.width, one.height) == (other.width, other.height)
    for found, expected in zip(one.detections, other.detections, strict=True):
        assert found.score == pytest.approx(expected.score, abs=TOLERANCE)
        assert found.landmarks[2] == pytest.approx(expected.landmarks[2], abs=TOLERANCE)
        assert found.box.width == pytest.approx(expected.box.width, abs=TOLERANCE)
    assert np.abs(one.crops.astype(int) - other.crops).max() <= 1


async def test_a_photo_shows_the_same_faces_as_in_this_process(
    detector: TritonDetector, settings: Settings, photo: bytes
) -> None:
    (found,) = await detector.detect([photo], FOR_EVER)
    (expected,) = await InlineDetector(settings).detect([photo], FOR_EVER)
    assert isinstance(found, Sighting)
    assert isinstance(expected, Sighting)
    assert len(found.detections) == 1
    assert_same(found, expected)


async def test_crops_are_judged_as_in_this_process_and_by_the_same_version(
    classifier: TritonClassifier, inline_classifier: InlineClassifier
) -> None:
    crops = crops_of(5)
    judged = await classifier.classify(crops, FOR_EVER)
    expected = await inline_classifier.classify(crops, FOR_EVER)
    assert judged.model == expected.model
    np.testing.assert_allclose(judged.probabilities, expected.probabilities, atol=TOLERANCE)


@pytest.mark.parametrize("max_batch", [32, 1000])
async def test_more_crops_than_a_batch_holds_are_judged_in_order(
    max_batch: int, client: TritonClient, inline_classifier: InlineClassifier
) -> None:
    crops = crops_of(150)
    classifier = TritonClassifier(client, Settings(max_batch=max_batch))
    judged = await classifier.classify(crops, FOR_EVER)
    expected = await inline_classifier.classify(crops, FOR_EVER)
    np.testing.assert_allclose(judged.probabilities, expected.probabilities, atol=TOLERANCE)


async def test_no_crops_still_name_the_model(
    classifier: TritonClassifier, inline_classifier: InlineClassifier
) -> None:
    verdicts = await classifier.classify(crops_of(0), FOR_EVER)
    assert verdicts.model == (await inline_classifier.classify(crops_of(0), FOR_EVER)).model
    assert verdicts.probabilities.shape == (0, 7)


async def test_each_photo_has_its_result_in_its_place(
    detector: TritonDetector, photo: bytes
) -> None:
    plain = encode(gradient(64, 48), "PNG")
    results = await detector.detect([plain, b"text", photo, b""], FOR_EVER)
    assert [type(one) for one in results] == [
        Sighting, UnsupportedImage, Sighting, UndecodableImage,
    ]  # fmt: skip
    faces = [len(one.detections) for one in results if isinstance(one, Sighting)]
    assert faces == [0, 1]


async def test_photos_past_their_deadline_are_not_looked_at(
    detector: TritonDetector, triton: TritonServer, photo: bytes
) -> None:
    before = triton.counts("face_detector")
    results = await detector.detect([photo, photo], Deadline(at=0.0))
    assert [type(one) for one in results] == [DeadlineExceeded] * 2
    assert triton.counts("face_detector") == before


async def test_crops_past_their_deadline_are_not_judged(classifier: TritonClassifier) -> None:
    with pytest.raises(DeadlineExceeded):
        await classifier.classify(crops_of(3), Deadline(at=0.0))


async def test_both_models_are_there(
    detector: TritonDetector, classifier: TritonClassifier, inline_classifier: InlineClassifier
) -> None:
    await detector.probe()
    expected = (await inline_classifier.classify(crops_of(0), FOR_EVER)).model
    assert await classifier.probe() == expected


async def test_triton_gathers_calls_into_batches(
    classifier: TritonClassifier, triton: TritonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it calls its classes is asked by inferences too.
    monkeypatch.setattr(triton_models, "_FRESH_SECONDS", 60.0)
    await classifier.probe()
    before = triton.counts(CLASSIFIER_NAME)
    # While it has those to do, the others come.
    large = [classifier.classify(crops_of(64), FOR_EVER) for _ in range(4)]
    await asyncio.gather(*large, *(classifier.classify(crops_of(1), FOR_EVER) for _ in range(64)))
    counts = await asyncio.to_thread(
        triton.counts_after, CLASSIFIER_NAME, before, inferences=5 * 64
    )
    assert counts.inferences - before.inferences == 5 * 64
    assert counts.executions - before.executions <= 4 + 16


async def test_photos_of_many_sizes_are_answered_at_once(
    detector: TritonDetector, settings: Settings
) -> None:
    sizes = [(64, 48), (48, 64), (64, 64), (90, 30)] * 4
    photos = [encode(gradient(*size), "PNG") for size in sizes]
    results = await detector.detect(photos, FOR_EVER)
    seen = [(one.width, one.height) for one in results if isinstance(one, Sighting)]
    assert seen == sizes


class CountingClient(TritonClient):
    """Knows how many calls there were at once, at most."""

    now = most = 0

    async def infer(self, *arguments: Any) -> Inference:  # noqa: ANN401  # passed on
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await super().infer(*arguments)
        finally:
            self.now -= 1


async def test_no_more_photos_are_in_work_than_are_let(triton: TritonServer, photo: bytes) -> None:
    client = CountingClient(triton.address)
    results = await TritonDetector(client, Settings(triton_photos=2)).detect([photo] * 8, FOR_EVER)
    assert [len(one.detections) for one in results if isinstance(one, Sighting)] == [1] * 8
    assert client.most == 2
    await client.close()


async def test_a_version_that_triton_has_just_loaded_answers_under_its_own_name(
    changing: ChangingTriton, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_models, "_FRESH_SECONDS", 60.0)
    changing.serve()
    client = TritonClient(changing.server.address)
    classifier = TritonClassifier(client, settings)
    assert (await classifier.classify(crops_of(1), FOR_EVER)).model.version == "tiny"
    changing.add_version(2, "new")
    judged = await classifier.classify(crops_of(1), FOR_EVER)
    assert judged.model == ModelVersion("emotion_classifier", "new")
    await client.close()


async def test_while_triton_is_gone_it_is_unavailable_and_then_it_is_back(
    triton_environment: None, model_repository: Path, tmp_path: Path, photo: bytes
) -> None:
    with triton_server(model_repository, tmp_path) as server:
        client = TritonClient(server.address)
        detector = TritonDetector(client, Settings())
        classifier = TritonClassifier(client, Settings())
        await detector.detect([photo], FOR_EVER)
        in_flight = asyncio.create_task(detector.detect([photo] * 40, FOR_EVER))
        await asyncio.sleep(0.3)
        server.kill()
        with pytest.raises(ModelUnavailable, match="Triton does not answer for the face detector"):
            await in_flight
        with pytest.raises(ModelUnavailable):
            await detector.probe()
        with pytest.raises(ModelUnavailable):
            await classifier.classify(crops_of(1), FOR_EVER)
        server.start()
        await until_it_answers(detector.probe)
        (found,) = await detector.detect([photo], FOR_EVER)
        assert isinstance(found, Sighting)
        await client.close()


async def test_a_queue_that_is_full_is_overloaded(
    changing: ChangingTriton, settings: Settings
) -> None:
    changing.replace(
        "config.pbtxt",
        "dynamic_batching { }",
        "dynamic_batching { default_queue_policy { max_queue_size: 1 } }",
    )
    client = TritonClient(changing.server.address)
    classifier = TritonClassifier(client, settings)
    await classifier.probe()
    calls = [classifier.classify(crops_of(32), FOR_EVER) for _ in range(64)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {Verdicts, Overloaded}
    await client.close()

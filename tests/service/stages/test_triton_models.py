import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy.typing as npt
import pytest
from tritonclient.grpc.model_config_pb2 import ModelConfig

from emotion.deadline import Deadline
from emotion.errors import ContractMismatch, ModelUnavailable, Overloaded
from emotion.faces import ModelVersion
from service.stages import triton_models
from service.stages.triton_client import TritonClient
from service.stages.triton_models import TritonModel
from tests.service.stages.conftest import ChangingTriton

TINY = ModelVersion("emotion_classifier", "tiny")


class SlowLabels(TritonClient):
    """A connection on which labels take their time, or fail; counts how often they are asked for.

    The rest is another connection's.
    """

    def __init__(self, client: TritonClient) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()
        self.failure: Exception | None = None
        self._client = client

    async def numbers(self, model: str, deadline: Deadline) -> tuple[int, ...]:
        return await self._client.numbers(model, deadline)

    async def config(self, model: str, deadline: Deadline) -> ModelConfig:
        return await self._client.config(model, deadline)

    async def labels(
        self, model: str, inputs: Mapping[str, npt.NDArray[Any]], output: str, deadline: Deadline
    ) -> tuple[str, ...]:
        self.asked += 1
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        return await self._client.labels(model, inputs, output, deadline)


@pytest.fixture
async def client(changing: ChangingTriton) -> AsyncIterator[TritonClient]:
    changing.serve()
    client = TritonClient(changing.server.address)
    yield client
    await client.close()


@pytest.fixture
def classifier(client: TritonClient) -> TritonModel:
    return TritonModel(client, "emotion_classifier")


async def version_of(classifier: TritonModel, *, anew: bool = False) -> ModelVersion:
    served = await (classifier.look_anew() if anew else classifier.look())
    return served.version(served.number)


async def refused(changing: ChangingTriton) -> str:
    """Why Triton's classifier is refused by somebody who knows nothing of it yet."""
    client = TritonClient(changing.server.address)
    try:
        with pytest.raises(ContractMismatch) as caught:
            await version_of(TritonModel(client, "emotion_classifier"))
    finally:
        await client.close()
    return caught.value.message


async def test_the_version_that_is_served_has_its_name(classifier: TritonModel) -> None:
    assert await version_of(classifier) == TINY


async def test_both_models_are_what_this_service_was_built_for(
    classifier: TritonModel, client: TritonClient
) -> None:
    assert (await classifier.look()).config.max_batch_size == 64
    detector = await TritonModel(client, "face_detector").look()
    assert detector.config.max_batch_size == 8


async def test_a_newer_version_is_seen_when_what_is_known_is_a_second_old(
    changing: ChangingTriton, classifier: TritonModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await version_of(classifier)
    changing.add_version(2, "new")
    monkeypatch.setattr("time.monotonic", lambda: 1e9)
    assert await version_of(classifier) == ModelVersion("emotion_classifier", "new")


async def test_what_is_fresh_is_not_asked_for_again_unless_it_is_wanted(
    changing: ChangingTriton, classifier: TritonModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_models, "_FRESH_SECONDS", 60.0)
    await version_of(classifier)
    changing.add_version(2, "new")
    assert await version_of(classifier) == TINY
    assert (await version_of(classifier, anew=True)).version == "new"


async def test_all_who_want_to_know_at_once_ask_once(
    changing: ChangingTriton, classifier: TritonModel
) -> None:
    before = changing.server.counts("emotion_classifier")
    first, *others = [asyncio.create_task(version_of(classifier)) for _ in range(20)]
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [TINY] * 19
    # One inference tells the labels.
    after = changing.server.counts_after("emotion_classifier", before, inferences=1)
    assert after.inferences - before.inferences == 1


async def test_a_version_without_a_name_is_refused(
    changing: ChangingTriton, classifier: TritonModel
) -> None:
    await version_of(classifier)
    changing.add_version(5, "nameless", named=False)
    expected = r"emotion_classifier doesn't name the version in folder 5\. Serve a model repository"
    with pytest.raises(ContractMismatch, match=expected):
        await version_of(classifier, anew=True)


async def test_labels_in_another_order_are_refused(changing: ChangingTriton) -> None:
    changing.replace("labels.txt", "angry\ndisgust", "disgust\nangry")
    assert "the labels ['disgust', 'angry', 'fear', " in await refused(changing)


async def test_labels_alone_that_change_are_seen_when_it_is_looked_at_anew(
    changing: ChangingTriton, classifier: TritonModel
) -> None:
    await version_of(classifier)
    changing.replace("labels.txt", "angry\ndisgust", "disgust\nangry")
    with pytest.raises(ContractMismatch, match=r"the labels \['disgust', 'angry', 'fear', "):
        await version_of(classifier, anew=True)
    with pytest.raises(ContractMismatch):
        await version_of(classifier)
    changing.replace("labels.txt", "disgust\nangry", "angry\ndisgust")
    assert await version_of(classifier) == TINY


async def test_labels_alone_that_change_are_seen_by_those_who_look_while_they_work(
    changing: ChangingTriton, classifier: TritonModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_models, "_FRESH_SECONDS", 0.0)
    await version_of(classifier)
    changing.replace("labels.txt", "angry\ndisgust", "disgust\nangry")

    async def work() -> None:
        while True:
            await version_of(classifier)

    with pytest.raises(ContractMismatch, match=r"the labels \['disgust', 'angry', 'fear', "):
        await asyncio.wait_for(work(), 5)


async def test_who_works_does_not_wait_for_labels_that_were_right_a_second_ago(
    changing: ChangingTriton, client: TritonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_models, "_FRESH_SECONDS", 0.0)
    slow = SlowLabels(client)
    classifier = TritonModel(slow, "emotion_classifier")
    slow.go_on.set()
    await version_of(classifier)
    slow.go_on.clear()
    assert [await version_of(classifier) for _ in range(3)] == [TINY] * 3
    # One question is under way, however often it is looked.
    assert slow.asked == 2
    slow.go_on.set()


async def test_labels_that_nobody_can_tell_just_now_are_asked_for_again(
    changing: ChangingTriton, client: TritonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_models, "_FRESH_SECONDS", 0.0)
    slow = SlowLabels(client)
    slow.go_on.set()
    classifier = TritonModel(slow, "emotion_classifier")
    await version_of(classifier)
    slow.failure = Overloaded("The emotion classifier is full.")
    async with asyncio.timeout(5):
        while slow.asked < 4:
            assert await version_of(classifier) == TINY


async def test_labels_that_are_not_there_are_refused(changing: ChangingTriton) -> None:
    changing.replace("config.pbtxt", '    label_filename: "labels.txt"\n', "")
    assert "the labels ['0', '1', '2', " in await refused(changing)


async def test_a_model_that_takes_something_else_is_refused(changing: ChangingTriton) -> None:
    changing.replace("config.pbtxt", "dims: [ 1, 48, 48 ] }", "dims: [ -1, 48, 48 ] }")
    reason = await refused(changing)
    assert reason.startswith("Triton's emotion_classifier takes {'crops': (2, [-1, 48, 48])}, not")


async def test_a_model_that_is_changed_for_the_worse_is_refused_and_a_good_one_taken_again(
    changing: ChangingTriton, classifier: TritonModel
) -> None:
    await version_of(classifier)
    changing.replace("config.pbtxt", "dims: [ 1, 48, 48 ] }", "dims: [ -1, 48, 48 ] }")
    with pytest.raises(ContractMismatch):
        await version_of(classifier, anew=True)
    changing.replace("config.pbtxt", "dims: [ -1, 48, 48 ] }", "dims: [ 1, 48, 48 ] }")
    assert await version_of(classifier, anew=True) == TINY


async def test_a_model_that_triton_was_told_to_unload_is_unavailable(
    changing: ChangingTriton, classifier: TritonModel
) -> None:
    changing.server.unload("emotion_classifier")
    try:
        with pytest.raises(ModelUnavailable, match="The emotion classifier failed on Triton"):
            await version_of(classifier)
    finally:
        changing.server.load("emotion_classifier")
    assert await version_of(classifier) == TINY

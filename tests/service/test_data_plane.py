import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from emotion.deadline import Deadline
from emotion.errors import DeadlineExceeded, ModelUnavailable, Overloaded, UndecodableImage
from emotion.faces import PhotoAnswer
from emotion.photo import PhotoPipeline
from service import data_plane
from service.data_plane import Backend, DataPlane
from service.metrics import PhotoMetrics
from service.models.registry_watch import RegistryState
from service.models.served import ModelState
from service.present import Present
from service.settings import Settings
from tests.service.fake_stages import BAD_PHOTO, StuckDetector, fake_pipeline, photo_of
from tests.stages import MODEL, FakeClassifier


async def pass_probe() -> ModelState:
    return ModelState(MODEL)


def started(
    metrics: PhotoMetrics, settings: Settings | None = None, pipeline: PhotoPipeline | None = None
) -> DataPlane:
    plane = DataPlane(settings or Settings())
    plane.start(Backend(pipeline or fake_pipeline(), pass_probe, metrics))
    return plane


def apart_from_storage(present: Present) -> Present:
    """What failed in this process so far, other tests say."""
    assert set(present.storage_errors) == {"StorageFull", "StorageUnavailable"}
    return replace(present, storage_errors={})


async def test_photos_are_answered_in_order_and_a_bad_one_fails_no_other(
    metrics: PhotoMetrics,
) -> None:
    photos = [photo_of(faces=2), BAD_PHOTO, photo_of(faces=0)]
    one, bad, none = await started(metrics).analyse(photos, Deadline())
    assert isinstance(one, PhotoAnswer)
    assert len(one.faces) == 2
    assert isinstance(bad, UndecodableImage)
    assert isinstance(none, PhotoAnswer)
    assert none.faces == ()


async def test_what_photos_come_to_is_counted(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    await started(metrics).analyse([photo_of(faces=2)], Deadline())
    assert registry.get_sample_value("rapt_faces_total") == 2


async def test_before_it_is_started_everything_is_refused() -> None:
    plane = DataPlane(Settings())
    with pytest.raises(ModelUnavailable, match="is starting"):
        async with plane.request():
            pass
    with pytest.raises(ModelUnavailable, match="is starting"):
        await plane.check_ready()
    with pytest.raises(ModelUnavailable, match="is starting"):
        await plane.analyse([photo_of(faces=1)], Deadline())


async def test_a_request_is_ended_at_its_deadline_and_with_it_what_it_waits_for(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    detector = StuckDetector()
    plane = started(
        metrics, Settings(deadline_seconds=0.01), PhotoPipeline(detector, FakeClassifier())
    )
    with pytest.raises(DeadlineExceeded, match="not ready in time"):
        async with plane.request() as slot:
            await plane.analyse([photo_of(faces=1)], slot.deadline)
    assert detector.ended.is_set()
    assert registry.get_sample_value("rapt_requests_in_flight") == 0
    failed = {"reason": "DeadlineExceeded"}
    assert registry.get_sample_value("rapt_requests_failed_total", failed) == 1


async def test_a_caller_who_waits_for_less_is_told_earlier_and_counted_as_gone(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    detector = StuckDetector()
    plane = started(metrics, pipeline=PhotoPipeline(detector, FakeClassifier()))
    with pytest.raises(DeadlineExceeded, match="not ready in time"):
        async with plane.request(patience=0.01) as slot:
            await plane.analyse([photo_of(faces=1)], slot.deadline)
    assert detector.ended.is_set()
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": "ClientGone"}) == 1


async def test_as_many_large_bodies_of_unknown_size_are_taken_in_as_fit(
    metrics: PhotoMetrics,
) -> None:
    plane = started(
        metrics, Settings(max_bytes=1, max_batch_bytes=2**16, max_bytes_in_flight=2**18)
    )
    async with plane.request() as slot, slot.receiving(), slot.receiving():
        with pytest.raises(DeadlineExceeded):
            async with plane.request(patience=0.01) as late, late.receiving():
                pass


async def test_requests_beyond_the_limit_are_refused_and_counted(
    metrics: PhotoMetrics, registry: CollectorRegistry
) -> None:
    plane = started(metrics, Settings(max_in_flight=1))
    async with plane.request():
        with pytest.raises(Overloaded):
            async with plane.request():
                pass
    async with plane.request():
        pass
    assert registry.get_sample_value("rapt_requests_failed_total", {"reason": "Overloaded"}) == 1


async def test_it_is_ready_when_the_probe_passes(metrics: PhotoMetrics) -> None:
    ready = await started(metrics).check_ready()
    assert (ready.model.version, ready.registry.state) == (MODEL, "off")


async def test_what_is_measured_before_it_is_started_is_nothing() -> None:
    assert apart_from_storage(await DataPlane(Settings()).present()) == Present(None, None, None)


async def test_what_is_measured_is_the_model_and_the_registry(metrics: PhotoMetrics) -> None:
    refused = RegistryState("refused", datetime.now(UTC), "No contract.")
    plane = DataPlane(Settings())
    plane.start(Backend(fake_pipeline(), pass_probe, metrics, lambda: refused))
    assert apart_from_storage(await plane.present()) == Present(
        MODEL, registry_up=True, champion_refused=True, pull_failed=False
    )


async def test_a_probe_that_waits_is_not_waited_for(
    metrics: PhotoMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait() -> ModelState:
        await asyncio.Event().wait()
        return ModelState(MODEL)

    monkeypatch.setattr(data_plane, "_PROBE_SECONDS", 0.01)
    plane = DataPlane(Settings())
    plane.start(Backend(fake_pipeline(), wait, metrics))
    with pytest.raises(ModelUnavailable, match="does not answer"):
        await plane.check_ready()

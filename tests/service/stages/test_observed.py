import pytest
from prometheus_client import CollectorRegistry

from emotion.contract import CLASSIFIER_NAME, DETECTOR_NAME
from emotion.deadline import Deadline
from emotion.errors import ModelUnavailable
from emotion.photo import PhotoPipeline
from service.metrics import StageCallMetrics
from service.stages.observed import observed_pipeline
from tests.service.fake_stages import sighting
from tests.service.told_spans import ToldSpans
from tests.stages import DownDetector, FakeClassifier, FakeDetector


def pipeline_of(
    registry: CollectorRegistry, detector: FakeDetector | DownDetector
) -> tuple[PhotoPipeline, FakeClassifier]:
    classifier = FakeClassifier()
    return observed_pipeline(detector, classifier, StageCallMetrics(registry)), classifier


def seconds_counted(registry: CollectorRegistry, stage: str) -> float | None:
    return registry.get_sample_value("rapt_stage_seconds_count", {"stage": stage})


async def test_each_stage_is_counted_and_told_as_it_is_asked(
    registry: CollectorRegistry, told: ToldSpans
) -> None:
    pipeline, _ = pipeline_of(registry, FakeDetector({b"a": sighting(2), b"b": sighting(1)}))
    await pipeline.analyse([b"a", b"b"], Deadline())
    assert seconds_counted(registry, DETECTOR_NAME) == 1
    assert seconds_counted(registry, CLASSIFIER_NAME) == 1
    facts = {name: one.attributes for name, one in told.end().items()}
    assert facts == {"detect": {"rapt.rows": 2}, "classify": {"rapt.rows": 3}}


async def test_where_there_is_no_face_nothing_is_classified(
    registry: CollectorRegistry, told: ToldSpans
) -> None:
    pipeline, classifier = pipeline_of(registry, FakeDetector({b"a": sighting(0)}))
    await pipeline.analyse([b"a"], Deadline())
    assert len(classifier.calls) == 1
    assert seconds_counted(registry, CLASSIFIER_NAME) == 0
    assert list(told.end()) == ["detect"]


async def test_a_stage_that_is_down_fails_its_span(
    registry: CollectorRegistry, told: ToldSpans
) -> None:
    pipeline, _ = pipeline_of(registry, DownDetector())
    with pytest.raises(ModelUnavailable):
        await pipeline.analyse([b"a"], Deadline())
    assert told.end()["detect"].attributes == {"rapt.rows": 1, "error.type": "ModelUnavailable"}

"""bf16, which serves where the processor has it, against f32, on real photos."""

from pathlib import Path

import numpy as np
import pytest

from emotion.detection import DetectionSettings
from emotion.faces import Box, Sighting
from emotion.image import ImageLimits
from emotion.sighting import sight
from service.models.onnx import load_classifier
from service.models.openvino import OpenVinoFaceNetwork, Precision

LEAST_OVERLAP = 0.95
# Of one face of the 26, surprise and anger are 0.017 apart: processors round bf16 differently.
NARROWEST_LEAD = 0.05


@pytest.fixture(scope="module")
def sightings(shared_data: Path, model_repository: Path) -> list[list[Sighting]]:
    """Of each photo, in f32 and in what serves here."""
    precisions: tuple[Precision, ...] = ("f32", "auto")
    networks = [OpenVinoFaceNetwork(model_repository, one) for one in precisions]
    photos = [path.read_bytes() for path in sorted((shared_data / "photos").iterdir())]
    settings, limits = DetectionSettings(), ImageLimits()
    return [[sight(photo, one, settings, limits) for one in networks] for photo in photos]


@pytest.mark.shared_data
def test_the_same_faces_are_found(sightings: list[list[Sighting]]) -> None:
    assert sum(len(exact.detections) for exact, _ in sightings) == 26
    for exact, served in sightings:
        assert len(served.detections) == len(exact.detections)
        for one in exact.detections:
            best = max(overlap(one.box, other.box) for other in served.detections)
            assert best >= LEAST_OVERLAP


@pytest.mark.shared_data
def test_they_show_the_same_emotions_but_where_two_are_as_probable(
    sightings: list[list[Sighting]], model_repository: Path
) -> None:
    classifier = load_classifier(model_repository, max_batch=32)
    for exact, served in sightings:
        rows, others = (classifier.classify(one.crops).probabilities for one in (exact, served))
        second, first = np.sort(rows, axis=1)[:, -2:].T
        clear = first - second > NARROWEST_LEAD
        np.testing.assert_array_equal(rows.argmax(axis=1)[clear], others.argmax(axis=1)[clear])


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.area + other.area - shared)

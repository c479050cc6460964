import threading

import pytest

from benchmarks.load import Load, put_load
from benchmarks.photo_cost import as_rows
from benchmarks.samples import one_face
from benchmarks.serving import Cost
from emotion.detection import DetectionSettings, FaceNetwork
from emotion.image import ImageLimits
from emotion.sighting import sight

# 200 answers: half of them take 61.4 ms, and more than one in a hundred 140.2 ms.
LOAD = Load((61.4,) * 195 + (140.2,) * 5, refused=3, seconds=10.0, client_cpu=0.1)


@pytest.mark.parametrize("size", [(640, 480), (1600, 1200)])
def test_sample_shows_one_face_and_is_the_same_each_time(
    face_network: FaceNetwork, size: tuple[int, int]
) -> None:
    photo = one_face(*size)
    sighting = sight(photo, face_network, DetectionSettings(), ImageLimits())
    assert (sighting.width, sighting.height) == size
    assert len(sighting.detections) == 1
    assert one_face(*size) == photo


def test_row_tells_what_the_service_adds_to_the_pipeline() -> None:
    head, row = as_rows([Cost("inline", "http", 8, 20.0, 20.0, LOAD)], bare=16.0)
    assert row.split() == [
        "inline", "http", "8", "20.0", "+4.0", "1.25", "0.5", "61", "140", "20.0",
    ]  # fmt: skip
    assert len(head) == len(row)


def test_load_counts_answers_and_refusals() -> None:
    turns = iter([True, False, True])
    over = threading.Event()

    def ask() -> bool:
        try:
            return next(turns)
        except StopIteration:
            over.wait(0.05)
            return False

    load = put_load([ask], seconds=0.2)
    assert load.answers == 2
    assert load.refused > 0
    assert load.p50 < 50


def test_load_that_fails_is_an_error() -> None:
    def ask() -> bool:
        raise RuntimeError("answered 500: b'oh'")

    with pytest.raises(RuntimeError, match="answered 500"):
        put_load([ask], seconds=0.1)

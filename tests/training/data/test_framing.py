from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from emotion.alignment import REFERENCE_POINTS
from emotion.detection import Floats, priors_of
from training.data.dataset import Fer2013
from training.data.finders import OnnxFaceNetwork, detector_file
from training.data.framing import Framing, as_table, landmarks_in, measure_framing
from training.errors import DatasetError

# Of the enlarged and padded image of 320x320: a prior of 128 pixels around (152, 168), which
# is (22, 26) in the 48x48 image.
PRIOR = 2 * 40 * 40 + 2 * (10 * 20 + 9) + 1


class FakeNetwork:
    """Sees one face in every image whose first pixel isn't black, two where it is white."""

    def __call__(self, images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
        count = len(priors_of(320, 320))
        assert images.shape == (1, 320, 320, 3)
        scores = np.zeros((1, count), dtype=np.float32)
        brightness = images[0, 64, 64, 0]
        scores[0, PRIOR] = 0.9 if brightness else 0.7
        scores[0, -1] = 0.95 if brightness == 255 else 0
        landmarks = np.zeros((1, count, 10), dtype=np.float32)
        landmarks[0, PRIOR] = [-5, -5, 5, -5, 0, 0, -2.5, 5, 2.5, 5]
        return np.zeros((1, count, 4), np.float32), scores, landmarks


def grey(value: int) -> npt.NDArray[np.uint8]:
    return np.full((48, 48), value, dtype=np.uint8)


def test_landmarks_are_told_in_pixels_of_the_small_image() -> None:
    landmarks = landmarks_in(grey(100), FakeNetwork())
    expected = [(6, 10), (38, 10), (22, 26), (14, 42), (30, 42)]
    assert np.array(landmarks) == pytest.approx(np.array(expected), abs=1e-4)


@pytest.mark.parametrize("value", [0, 255])
def test_image_without_exactly_one_sure_face_has_none(value: int) -> None:
    assert landmarks_in(grey(value), FakeNetwork()) is None


def test_images_that_count_are_counted() -> None:
    images = np.stack([grey(0), grey(100), grey(255), grey(50)])
    framing = measure_framing(images, FakeNetwork())
    assert (framing.images, framing.faces) == (4, 2)
    assert framing.mean[2] == pytest.approx([22, 26], abs=1e-4)
    assert framing.median[2] == pytest.approx([22, 26], abs=1e-4)
    assert framing.deviation == pytest.approx(np.zeros((5, 2)), abs=1e-4)


def test_sample_is_drawn_without_repetition_and_the_same_each_time() -> None:
    images = np.stack([grey(0), *[grey(100)] * 9])
    drawn = [measure_framing(images, FakeNetwork(), sample=9).faces for _ in range(3)]
    assert len(set(drawn)) == 1
    assert measure_framing(images, FakeNetwork(), sample=10).faces == 9


def test_no_face_at_all_is_an_error() -> None:
    with pytest.raises(DatasetError, match="none of 3 images shows exactly one face"):
        measure_framing(np.stack([grey(0)] * 3), FakeNetwork())


def test_table_ends_with_the_tuple_to_paste() -> None:
    points = np.array([[15.16, 18.2], [32.23, 18.06], [23.6, 28.7], [17.13, 36.91], [30.7, 36.81]])
    table = as_table(Framing(200, 193, points, points, points / 10))
    assert "193 of 200 images (96.5%) show exactly one face" in table
    assert "left_eye       15.16  18.20     15.16  18.20   1.52   1.82" in table.splitlines()
    names: dict[str, object] = {}
    exec(table[table.index("REFERENCE_POINTS") :].replace(": Landmarks", ""), names)  # noqa: S102  # made above
    assert names["REFERENCE_POINTS"] == REFERENCE_POINTS


@pytest.mark.shared_data
def test_reference_points_are_where_fer2013_has_them(
    shared_fer2013: Fer2013, model_repository: Path
) -> None:
    network = OnnxFaceNetwork(detector_file(model_repository))
    framing = measure_framing(shared_fer2013.train.images, network, sample=150, seed=1)
    assert framing.faces > 135
    # The standard error of a mean over 150 faces is 0.4.
    assert np.abs(framing.mean - np.array(REFERENCE_POINTS)).max() < 1.6

import numpy as np
import numpy.typing as npt
import pytest

from emotion.preprocessing import classifier_input, to_grey


def test_equal_channels_stay_as_they_are() -> None:
    greys = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_grey(np.stack([greys] * 3, axis=-1)), greys)


def test_luma_weighs_red_green_and_blue() -> None:
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    assert to_grey(primaries).tolist() == [[76, 150, 29]]


def test_crops_are_stacked_in_order() -> None:
    crops = [np.full((48, 48), value, dtype=np.uint8) for value in (3, 1, 2)]
    batch = classifier_input(crops)
    assert batch.dtype == np.uint8
    assert batch.shape == (3, 1, 48, 48)
    assert batch[:, 0, 0, 0].tolist() == [3, 1, 2]


def test_no_crops_are_an_empty_batch() -> None:
    assert classifier_input([]).shape == (0, 1, 48, 48)


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((48, 47), dtype=np.uint8),
        np.zeros((1, 48, 48), dtype=np.uint8),
        np.zeros((48, 48), dtype=np.float32),
    ],
)
def test_crop_of_another_shape_or_type_is_a_mistake(crop: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="not uint8"):
        classifier_input([crop])

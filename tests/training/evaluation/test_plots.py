import cv2
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib import colormaps

from training.data.dataset import Split
from training.evaluation.metrics import Evaluation, evaluate
from training.evaluation.plots import confusion_picture, reliability_picture

LABELS = np.arange(70, dtype=np.int64) % 7


@pytest.fixture(scope="module")
def probabilities() -> npt.NDArray[np.float32]:
    """Right and sure of it in nine of ten images."""
    answers = np.where(np.arange(70) % 10 == 0, (LABELS + 1) % 7, LABELS)
    table = np.full((70, 7), 0.1 / 6, dtype=np.float32)
    table[np.arange(70), answers] = 0.9
    return table


@pytest.fixture(scope="module")
def result(probabilities: npt.NDArray[np.float32]) -> Evaluation:
    split = Split("val", np.zeros((70, 48, 48), dtype=np.uint8), LABELS)
    return evaluate(probabilities, split, np.zeros(70, dtype=np.bool_))


def decoded(png: bytes) -> npt.NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.astype(np.uint8)


def test_confusion_matrix_is_a_picture_with_a_dark_diagonal(result: Evaluation) -> None:
    image = decoded(confusion_picture(result))
    assert image.shape == (720, 840, 3)
    red, green, blue, _ = colormaps["Blues"](0.9, bytes=True)
    in_colour = np.all(image == (blue, green, red), axis=2)
    assert np.sum(in_colour) > 7 * 1000


def test_reliability_diagram_is_a_picture(probabilities: npt.NDArray[np.float32]) -> None:
    image = decoded(reliability_picture(probabilities, LABELS))
    assert image.shape == (840, 720, 3)
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10


def test_same_figures_give_the_same_picture(result: Evaluation) -> None:
    assert confusion_picture(result) == confusion_picture(result)

"""The same crop reaches the classifier through training's path and through serving's."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
import pytest

from emotion.alignment import REFERENCE_POINTS, align
from emotion.image import ImageLimits, decode
from emotion.preprocessing import classifier_input, to_grey
from tests.pictures import encode
from training.data.fer2013 import load_fer2013

LIMITS = ImageLimits()


def served(photo: bytes) -> npt.NDArray[np.uint8]:
    """What the classifier gets of a photo whose face lies where FER2013's do."""
    return classifier_input([align(to_grey(decode(photo, LIMITS)), REFERENCE_POINTS)])


def face_like(seed: int) -> npt.NDArray[np.uint8]:
    """A grey 48x48 picture with FER2013's mix of smooth shades and noise."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)
    return cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("seed", range(5))
def test_lossless_crop_is_equal_to_the_bit(kind: str, seed: int) -> None:
    image = face_like(seed)
    assert np.array_equal(served(encode(image, kind)), classifier_input([image]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_file_that_training_reads_is_served_equal_to_the_bit(tmp_path: Path, kind: str) -> None:
    files = [encode(face_like(seed), kind) for seed in range(20)]
    table = pa.table({"image": files, "label": [seed % 7 for seed in range(20)]})
    for split in ("train", "val", "test"):
        pyarrow.parquet.write_table(table, tmp_path / f"{split}.parquet")
    trained = classifier_input(list(load_fer2013(tmp_path).train.images))
    assert np.array_equal(np.concatenate([served(file) for file in files]), trained)


@pytest.mark.shared_data
def test_fer2013_is_served_equal_to_the_bit(shared_data: Path) -> None:
    folder = shared_data / "fer2013"
    column = pyarrow.parquet.read_table(folder / "val.parquet")["image"]
    files = [bytes(file) for file in column.to_pylist() if file]
    trained = classifier_input(list(load_fer2013(folder).val.images))
    assert np.array_equal(np.concatenate([served(file) for file in files]), trained)
